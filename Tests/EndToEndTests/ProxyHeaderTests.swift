import Testing
@_spi(Begat) import UnixCore

/// Headers by which proxies name their clients: which are taken, and which are not.
@Suite(.timeLimit(.minutes(30)))
struct ProxyHeaderTests {
  private static func configuration(_ lines: String...) -> String {
    SampleConfiguration.service("echo", "proxy-from = [\"127.0.0.1\"]", lines.joined(separator: "\n"))
  }

  private func refused(_ daemon: Daemon, _ reason: String) throws -> Double? {
    MetricSamples(try daemon.begat("status", "--prometheus").output.text)[
      "begat_connections_refused_total{service=\"echo\",reason=\"\(reason)\"}"]
  }

  // MARK: Good ones

  private static let good: [(String, [UInt8], String)] = [
    ("v1 IPv4", ProxyHead.line("192.0.2.7"), "192.0.2.7:51312"),
    ("v1 IPv6", ProxyHead.line("2001:db8::7", to: "2001:db8::1"), "[2001:db8::7]:51312"),
    ("v1 mapped", ProxyHead.line("::ffff:192.0.2.7", to: "::ffff:198.51.100.1"), "192.0.2.7:51312"),
    ("v2 IPv4", ProxyHead.binary("192.0.2.7"), "192.0.2.7:51312"),
    ("v2 IPv6", ProxyHead.binary6(7), "[2001:db8::7]:51312"),
    ("v2 with extensions", ProxyHead.binary("192.0.2.7", extensions: [(4, [0, 0, 0]), (5, [1])]), "192.0.2.7:51312"),
    (
      "v2 of 4096 bytes", ProxyHead.binary("192.0.2.7", extensions: [(4, [UInt8](repeating: 0, count: 4065))]),
      "192.0.2.7:51312"
    ),
  ]

  /// Bytes that look like another header are the client's.
  @Test(arguments: good.indices)
  func itNamesTheClientAndIsNotPassedOn(index: Int) throws {
    let (name, header, client) = Self.good[index]
    try withDaemon(Self.configuration()) { daemon in
      for payload in [Array("hello".utf8), header, []] {
        let echo = try Client(try daemon.address("echo"), behind: header + payload)
        #expect(try echo.receive(count: payload.count) == payload, "\(name)")
        let process = try daemon.awaitConnections(1, of: "echo")[0]
        #expect(eventually { ProcessFacts.title(process) == "begat-listener: echo \(client)" }, "\(name)")
        echo.hangUp()
        _ = try daemon.awaitConnections(0, of: "echo")
      }
      #expect(try daemon.log.awaitLines(containing: " for \(client)").count >= 1, "\(name)")
    }
  }

  @Test(arguments: good.indices)
  func itMayComeByteByByte(index: Int) throws {
    let (name, header, client) = Self.good[index]
    try withDaemon(Self.configuration()) { daemon in
      let echo = try Client(try daemon.address("echo"))
      for byte in header.prefix(200) { try echo.send([byte]) }
      try echo.send(Array(header.dropFirst(200)) + Array("hello".utf8))
      #expect(try echo.receive(count: 5) == Array("hello".utf8), "\(name)")
      echo.hangUp()
      try daemon.log.awaitLines(containing: " for \(client)")
      // The last byte of the header and the first of the client make no difference.
      let halves = try Client(try daemon.address("echo"), behind: Array(header.prefix(header.count / 2)))
      #expect(!halves.hears(within: .milliseconds(50)))
      try halves.send(Array(header.suffix(header.count - header.count / 2)))
      try halves.send("again")
      #expect(try halves.receive(count: 5) == Array("again".utf8), "\(name)")
    }
  }

  @Test func aHeaderOfALocalConnectionIsSkippedWithWhatItSays() throws {
    try withDaemon(Self.configuration("log = \"open\"")) { daemon in
      let locals: [[UInt8]] = [
        ProxyHead.local, ProxyHead.binary(0x20, 0x11, [UInt8](repeating: 9, count: 40)),
        Array("PROXY UNKNOWN\r\n".utf8),
        Array("PROXY UNKNOWN ffff::1 and whatever 0 0\r\n".utf8), ProxyHead.binary(0x21, 0x00, [1, 2, 3]),
        ProxyHead.binary(0x21, 0x31, [UInt8](repeating: 0, count: 216)),
      ]
      for local in locals {
        let echo = try Client(try daemon.address("echo"), behind: local + Array("hello".utf8))
        #expect(try echo.receive(count: 5) == Array("hello".utf8), "\(escaped(local))")
        let own = try echo.address()
        try daemon.log.awaitLines(containing: " for \(own): opened")
        echo.hangUp()
      }
    }
  }

  @Test(arguments: [1, 2])
  func onlyOneVersionMayBeAccepted(version: Int) throws {
    try withDaemon(Self.configuration("proxy-version = \(version)")) { daemon in
      let headers = [ProxyHead.line("192.0.2.7"), ProxyHead.binary("192.0.2.7")]
      let good = try Client(try daemon.address("echo"), behind: headers[version - 1] + [1])
      #expect(try good.receive(count: 1) == [1])
      let bad = try Client(try daemon.address("echo"), behind: headers[2 - version] + [1])
      #expect(bad.awaitEnd())
      try daemon.log.awaitLines(containing: "which proxy-version excludes")
    }
  }

  // MARK: Broken ones

  private static let broken: [(String, [UInt8], String)] = lines + binaries

  private static let lines: [(String, [UInt8], String)] = [
    ("no header at all", Array("GET / HTTP/1.0\r\n".utf8), "no PROXY header"),
    ("a lone LF", Array("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n".utf8), "LF without CR"),
    ("a lone CR", Array("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\rx".utf8), "CR without LF"),
    (
      "a line of more than 107 bytes", Array("PROXY UNKNOWN \(String(repeating: "x", count: 100))\r\n".utf8),
      "longer than 107 bytes"
    ),
    ("a line without an end", Array("PROXY UNKNOWN \(String(repeating: "x", count: 4000))".utf8), "longer than 107"),
    ("TCP4 with IPv6 text", Array("PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n".utf8), "address"),
    ("TCP6 with IPv4 text", Array("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n".utf8), "address"),
    ("a leading zero in an address", Array("PROXY TCP4 192.0.02.7 198.51.100.1 1 2\r\n".utf8), "address"),
    ("a leading zero in a port", Array("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n".utf8), "port"),
    ("a port above 65535", Array("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n".utf8), "port"),
    ("two blanks", Array("PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n".utf8), "single spaces"),
    ("a field too many", Array("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n".utf8), "single spaces"),
    ("lower case", Array("proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n".utf8), "no PROXY header"),
  ]

  private static let twelve = [UInt8](repeating: 1, count: 12)
  private static let binaries: [(String, [UInt8], String)] = [
    ("length 0 with family INET", ProxyHead.binary(0x21, 0x11, []), "less than the 12"),
    ("length 11 with family INET", ProxyHead.binary(0x21, 0x11, [UInt8](repeating: 1, count: 11)), "less than the 12"),
    ("length 35 with family INET6", ProxyHead.binary(0x21, 0x21, [UInt8](repeating: 1, count: 35)), "less than the 36"),
    ("version 1 in the binary form", ProxyHead.binary(0x11, 0x11, twelve), "version 1"),
    ("an unknown command", ProxyHead.binary(0x22, 0x11, twelve), "command 2"),
    ("a length of 65535", ProxyHead.binary(0x21, 0x11, [], length: 65_535), "longer than 4096"),
    (
      "an extension that overruns",
      ProxyHead.binary(0x21, 0x11, twelve + [5, 0, 9, 1]), "longer than the header"
    ),
    (
      "a wrong checksum",
      ProxyHead.binary(0x21, 0x11, twelve + [3, 0, 4, 1, 2, 3, 4]), "checksum"
    ),
  ]

  /// Each ends immediately, without an answer, whatever would have followed, and without a process.
  @Test(arguments: broken.indices)
  func aBrokenOneEndsItsConnection(index: Int) throws {
    let (name, header, reason) = Self.broken[index]
    try withDaemon(Self.configuration("refusal = \"Sorry.\"")) { daemon in
      let client = try Client(try daemon.address("echo"), behind: header)
      #expect((try? client.receiveAll()) ?? [] == [], "\(name)")
      let line = try daemon.log.awaitLines(containing: "a connection of 127.0.0.1 is closed: ")[0]
      #expect(line.contains(reason), "\(name): \(line)")
      // The next one is counted, and is in the same episode.
      #expect(try Client(try daemon.address("echo"), behind: header).awaitEnd(), "\(name)")
      #expect(eventually { (try? refused(daemon, "proxy-header")) == 2 }, "\(name)")
      #expect(
        try Client(try daemon.address("echo"), behind: ProxyHead.line("192.0.2.7") + [7]).receive(count: 1) == [7])
      try daemon.log.awaitLines(containing: "proxy-header: 2 connections refused in")
      #expect(daemon.log.lines(containing: " is closed: ").count == 1)
      #expect(daemon.log.lines(containing: " pid ").count <= 1, "\(daemon.log.text)")
    }
  }

  @Test func aStreamThatEndsWithinItsHeaderIsClosed() throws {
    try withDaemon(Self.configuration()) { daemon in
      let client = try Client(try daemon.address("echo"), behind: Array("PROXY TCP4 192".utf8))
      try client.endSending()
      #expect(client.awaitEnd(within: .seconds(3)))
      try daemon.log.awaitLines(containing: "the stream ends within the PROXY header")
      #expect(try refused(daemon, "proxy-header") == 1)
    }
  }

  /// Balancers that only look whether the port is open do so.
  @Test func aConnectionThatEndsWithoutAByteIsNoNews() throws {
    try withDaemon(Self.configuration()) { daemon in
      let probe = try Client(try daemon.address("echo"))
      try probe.endSending()
      #expect(probe.awaitEnd())
      let reset = try Client(try daemon.address("echo"))
      reset.reset()
      let client = try Client(try daemon.address("echo"), behind: ProxyHead.line("192.0.2.7") + [7])
      #expect(try client.receive(count: 1) == [7])
      for reason in ["proxy-header", "proxy-timeout"] { #expect(try refused(daemon, reason) == 0) }
      #expect(daemon.linesAfterStart == [], "\(daemon.log.text)")
    }
  }
}
