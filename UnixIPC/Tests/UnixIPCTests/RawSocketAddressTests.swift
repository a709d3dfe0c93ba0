import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite struct RawSocketAddressTests {
  @Test("is the same address again")
  func isTheSameAgain() throws {
    var random = SeededRandom(state: 3)
    for _ in 0..<2000 {
      let address = SocketAddress.random(using: &random)
      let native = try RawSocketAddress(address)
      #expect(native.address == address)
      // As the kernel would hand it over.
      #expect(native.withPointer { RawSocketAddress($0, length: $1) }.address == address)
    }
    #expect(try RawSocketAddress(.unixUnnamed).address == .unixUnnamed)
    let mapped = SocketAddress.ipv6(IPv6Address(high: 0, low: 0xffff_7f00_0001), port: 5)
    #expect(try RawSocketAddress(mapped).address == mapped)
  }

  @Test("is laid out as the kernel has it")
  func isLaidOut() throws {
    let native = try RawSocketAddress(.ipv4(IPv4Address(rawValue: 0xc000_0207), port: 0x1234))
    #expect(native.family == .ipv4)
    native.withPointer { pointer, length in
      let bytes = UnsafeRawBufferPointer(start: pointer, count: Int(length))
      #expect(Array(bytes) == [UInt8(AF_INET), 0, 0x12, 0x34, 192, 0, 2, 7] + [UInt8](repeating: 0, count: 8))
    }
  }

  @Test("has room for a path of 107 bytes and not for 108")
  func hasRoomForAPath() throws {
    let longest = "/" + String(repeating: "p", count: 106)
    let native = try RawSocketAddress(.unixPath(longest))
    #expect(native.address == .unixPath(longest))
    #expect(native.withPointer { $1 } == 110)
    #expect(throws: SystemCallError("bind", on: longest + "p", code: .fileNameTooLong)) {
      try RawSocketAddress(.unixPath(longest + "p"))
    }
  }

  @Test("has room for an abstract name of 107 bytes and not for 108")
  func hasRoomForAName() throws {
    let longest = [UInt8](repeating: 0, count: 107)
    #expect(try RawSocketAddress(.unixAbstract(longest)).address == .unixAbstract(longest))
    let found = failure { () throws(SystemCallError) in try RawSocketAddress(.unixAbstract(longest + [0])) }
    #expect(found?.code == .fileNameTooLong)
  }

  @Test("refuses a path with a NUL, which would be another path")
  func refusesANUL() {
    let found = failure { () throws(SystemCallError) in try RawSocketAddress(.unixPath("/a\0b")) }
    #expect(found == SystemCallError("bind", on: "/a\\x00b", code: .invalidArgument))
  }

  @Test("is no address in a family that is unknown")
  func isUnknown() {
    var native = sockaddr()
    native.sa_family = sa_family_t(AF_NETLINK)
    #expect(RawSocketAddress(&native, length: socklen_t(MemoryLayout<sockaddr>.size)).address == nil)
    #expect(RawSocketAddress().address == nil)
  }

  @Test("reads no further than it is long", arguments: 0...112)
  func readsNoFurther(length: Int) {
    var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 128)
    bytes[0] = UInt8(AF_UNIX)
    bytes[1] = 0
    let address = bytes.withUnsafeBytes { raw in
      raw.withMemoryRebound(to: sockaddr.self) { RawSocketAddress($0.baseAddress!, length: socklen_t(length)) }.address
    }
    switch length {
    case 0, 1, 2: #expect(address == .unixUnnamed || address == nil)
    default: #expect(address == .unixPath(String(repeating: "x", count: min(length, 110) - 2)))
    }
  }
}
