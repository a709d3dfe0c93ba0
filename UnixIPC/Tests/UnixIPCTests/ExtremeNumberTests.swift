import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

/// A number that makes no sense is an error, nothing, or the nearest one that does: never the end of the process.
@Suite struct ExtremeNumberTests {
  @Test("bound lines", arguments: [Int.min, -1, 0, .max])
  func lines(limit: Int) {
    var buffer = LineBuffer(limit: limit)
    #expect(buffer.append(UInt8(ascii: "\n")) == .complete(UntrustedBytes([UInt8]())))
    #expect(buffer.append(UInt8(ascii: "x")) == nil)
    #expect(buffer.append(UInt8(ascii: "\n")) == (limit > 0 ? .complete(UntrustedBytes([0x78])) : .tooLong))
  }

  @Test("keep bits of an address")
  func bits() throws {
    let version4 = IPv4Address(rawValue: .max)
    let version6 = IPv6Address(high: .max, low: .max)
    for count in [Int.min, -1, 0] {
      #expect(version4.keeping(firstBits: count).rawValue == 0)
      #expect(version6.keeping(firstBits: count) == IPv6Address(high: 0, low: 0))
    }
    #expect(version4.keeping(firstBits: .max) == version4 && version6.keeping(firstBits: .max) == version6)
  }

  @Test("name a capture")
  func captures() {
    let match = ConversationMatch(index: 0, bytes: [], before: [], captures: [[0x61]])
    for number in [Int.min, -1, 0, 2, .max] {
      #expect(match.capture(number) == nil && match.untrustedCapture(number) == nil)
    }
    #expect(match.capture(1) == "a")
  }

  @Test("count bytes to read")
  func counts() throws {
    let pair = try SocketPair(kind: .stream)
    let first = pair.first
    for count in [Int.min, -1] {
      #expect(failure { () throws(SystemCallError) in try first.read(maxCount: count) }?.code == .invalidArgument)
      #expect(failure { () throws(SystemCallError) in try first.receive(maxCount: count) }?.code == .invalidArgument)
      let passing = failure { () throws(SystemCallError) in
        try first.receive(maxCount: count, maxPassed: 1)
      }
      #expect(passing?.code == .invalidArgument)
    }
    _ = consume pair.second
  }

  @Test("last", arguments: [UInt64.max, 1 << 63, 9_300_000_000])
  func durations(seconds: UInt64) {
    let late = Deadline(after: .seconds(seconds))
    #expect(late < .never && !late.isExpired)
    #expect(Deadline.now.advanced(by: .seconds(seconds)) <= .never)
    #expect(Deadline(after: .seconds(Int64.min) * 2).isExpired)
  }
}

@Suite struct NamelessSocketTests {
  @Test("is refused: the kernel would choose a name that any user can connect to")
  func isRefused() {
    for address: SocketAddress in [.unixUnnamed, .unixPath(UnixPath(bytes: []))] {
      let error = failure { () throws(SystemCallError) in try ListeningSocket(address, backlog: 1) }
      #expect(error?.code == .invalidArgument)
    }
  }
}

@Suite struct UnmappedAddressTests {
  @Test("is the IPv4 address that a mapped one means")
  func isIPv4() throws {
    let mapped = try #require(SocketAddress("[::ffff:192.0.2.7]:80"))
    #expect(mapped.unmapped == SocketAddress("192.0.2.7:80"))
    let other = try #require(SocketAddress("[2001:db8::1]:80"))
    #expect(other.unmapped == other && SocketAddress.unixUnnamed.unmapped == .unixUnnamed)
  }

  @Test("is a client's of a socket of both families")
  func isAClients() throws {
    let server = try ListeningSocket(
      .ipv6(.any, port: 0), backlog: 1, options: BindOptions(acceptsIPv4: true))
    let port = try #require(try server.descriptor.localAddress().address?.port)
    let client = try ClientSocket.connect(to: .ipv4(.loopback, port: port))
    let accepted = try server.accept(until: Deadline(after: .seconds(20)))
    let expected = try client.localAddress().address
    #expect(accepted.peer == expected)
  }
}
