import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite struct BindOptionsTests {
  /// Addresses for documentation, which no machine has.
  @Test(
    "bind an address that the machine does not have, where they say so", arguments: ["192.0.2.1:0", "[2001:db8::1]:0"])
  func bindFreely(text: String) throws {
    let address = try #require(SocketAddress(text))
    let free = BindOptions(allowsNonlocalAddress: true)
    let found = SystemCallError("bind", on: text, code: ErrorCode.addressNotAvailable)
    #expect(throws: found) { _ = try ListeningSocket(address, backlog: 1) }
    #expect(throws: found) { _ = try DatagramSocket(address) }
    let listener = try ListeningSocket(address, backlog: 1, options: free)
    let datagrams = try DatagramSocket(address, options: free)
    for bound in [try listener.descriptor.localAddress().address, try datagrams.descriptor.localAddress().address] {
      #expect(bound.map { "\($0)" }?.hasPrefix(text.dropLast()) == true)
    }
  }

  @Test("bind to an interface", arguments: ["127.0.0.1:0", "[::1]:0"])
  func bindToAnInterface(text: String) throws {
    let address = try #require(SocketAddress(text))
    let listener = try ListeningSocket(address, backlog: 1, options: BindOptions(device: "lo"))
    var name = [CChar](repeating: 0, count: 16)
    var length = socklen_t(16)
    #expect(getsockopt(listener.descriptor.number, SOL_SOCKET, bindToDevice, &name, &length) == 0)
    #expect(name.prefix(3) == [CChar(UInt8(ascii: "l")), CChar(UInt8(ascii: "o")), 0])
    #expect(
      throws: SystemCallError(
        "setsockopt SO_BINDTODEVICE", on: "begat-none", code: ErrorCode.operationNotSupportedByDevice)
    ) {
      _ = try ListeningSocket(address, backlog: 1, options: BindOptions(device: "begat-none"))
    }
  }

  @Test("mean nothing to a Unix socket")
  func meanNothingToUnixSockets() throws {
    let name = SocketAddress.unixAbstract(Array("begat-test-\(getpid())-options".utf8))
    let listener = try ListeningSocket(
      name, backlog: 1, options: BindOptions(allowsNonlocalAddress: true, device: "begat-none"))
    #expect(try listener.descriptor.localAddress().address == name)
  }
}
