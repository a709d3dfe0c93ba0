import ProxyProtocol
import Testing

@Suite("A header of version 1")
struct ProxyLineTests {
  @Test(
    "is read",
    arguments: [
      // The example of the specification.
      ("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324", "192.168.0.11:443"),
      ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535", "255.255.255.255:65535"),
      ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0", "0.0.0.0:0"),
      ("PROXY TCP6 2001:db8::7 2001:DB8:0:0:0:0:0:1 4000 443\r\n", "[2001:db8::7]:4000", "[2001:db8::1]:443"),
      (
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535"
      ),
    ])
  func isRead(line: String, source: String, destination: String) {
    let header = ParsedHeader(length: line.utf8.count, version: 1, from: source, to: destination)
    #expect(Parsed(line) == .header(header))
    // The rest is the client's, another header too.
    #expect(Parsed(line + "GET / HTTP/1.1\r\n") == .header(header))
    #expect(Parsed(line + line) == .header(header))
    for length in 0..<line.utf8.count { #expect(Parsed(Array(line.utf8.prefix(length))) == .incomplete) }
  }

  @Test(
    "of an unknown connection is read without a look at its rest",
    arguments: ["", " ", " x", " ffff::1 ffff::2 1 2", " 1.2.3.4 1.2.3.4 99999 -1", " \0\u{7f}"])
  func isUnknown(rest: String) {
    let line = "PROXY UNKNOWN\(rest)\r\n"
    #expect(Parsed(line + "x") == .header(ParsedHeader(length: line.utf8.count, version: 1)))
  }

  @Test("has at most 107 bytes")
  func isShort() {
    let longest = "PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n"
    #expect(longest.utf8.count == ProxyHeader.maxLineLength)
    #expect(Parsed(longest) == .header(ParsedHeader(length: 107, version: 1)))
    let line = "PROXY UNKNOWN " + String(repeating: "x", count: 92)
    #expect(Parsed(line + "\r\n") == .invalid(.lineTooLong))
    // It is wrong as soon as 107 bytes are there, and not before.
    #expect(Parsed(line) == .incomplete && Parsed(line + "\r") == .invalid(.lineTooLong))
    #expect(Parsed(line + "x") == .invalid(.lineTooLong))
    #expect("\(ProxyProblem.lineTooLong)" == "v1 line longer than 107 bytes")
  }

  @Test(
    "ends in CR and LF together",
    arguments: [
      ("PROXY UNKNOWN\n", ProxyProblem.loneLineFeed), ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", .loneLineFeed),
      ("PROXY UNKNOWN\rx", .loneCarriageReturn), ("PROXY UNKNOWN\r\r\n", .loneCarriageReturn),
      ("PROXY \n\r\n", .loneLineFeed), ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r ", .loneCarriageReturn),
    ])
  func endsInBoth(line: String, problem: ProxyProblem) { #expect(Parsed(line) == .invalid(problem)) }

  @Test(
    "has its fields between single spaces",
    arguments: [
      ("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", ProxyProblem.wrongFields), ("PROXY TCP4\r\n", .wrongFields),
      ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", .wrongFields), ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", .wrongFields),
      ("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", .wrongFields), ("PROXY TCP4 1.2.3.4 1.2.3.4 1  2\r\n", .wrongFields),
      ("PROXY TCP4 1.2.3.4\t1.2.3.4 1 2\r\n", .wrongFields), ("PROXY \r\n", .unknownProtocol),
      ("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", .unknownProtocol),
      ("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", .unknownProtocol),
      ("PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", .unknownProtocol), ("PROXY UNKNOWNS\r\n", .unknownProtocol),
      ("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", .noHeader), ("PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n", .noHeader),
    ])
  func hasFields(line: String, problem: ProxyProblem) { #expect(Parsed(line) == .invalid(problem)) }

  @Test(
    "has addresses of its family, without leading zeros in those of IPv4",
    arguments: [
      "PROXY TCP4 ::1 ::2 1 2", "PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 2", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2",
      "PROXY TCP6 ::1 1.2.3.4 1 2", "PROXY TCP4 1.2.3.04 1.2.3.4 1 2", "PROXY TCP4 01.2.3.4 1.2.3.4 1 2",
      "PROXY TCP4 1.2.3.4 1.2.3.256 1 2", "PROXY TCP4 1.2.3 1.2.3.4 1 2", "PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2",
      "PROXY TCP4 0x1.2.3.4 1.2.3.4 1 2", "PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2", "PROXY TCP4 localhost 1.2.3.4 1 2",
      "PROXY TCP6 fe80::1%eth0 ::1 1 2", "PROXY TCP6 [::1] ::1 1 2", "PROXY TCP6 ::12345 ::1 1 2",
      "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2", "PROXY TCP6 ::1::2 ::1 1 2", "PROXY TCP6 : ::1 1 2",
      "PROXY TCP6 ::ffff:1.2.3.04 ::1 1 2",
    ])
  func hasAddresses(line: String) { #expect(Parsed(line + "\r\n") == .invalid(.wrongAddress)) }

  @Test(
    "has ports from 0 to 65535 without leading zeros",
    arguments: ["65536", "080", "00", "-1", "+1", "1e1", "99999", "123456", "8O"])
  func hasPorts(port: String) {
    #expect(Parsed("PROXY TCP4 1.2.3.4 1.2.3.4 \(port) 1\r\n") == .invalid(.wrongPort))
    #expect(Parsed("PROXY TCP4 1.2.3.4 1.2.3.4 1 \(port)\r\n") == .invalid(.wrongPort))
  }

  @Test(
    "means IPv4 by a mapped address", arguments: ["::ffff:192.0.2.7", "::FFFF:c000:207", "0:0:0:0:0:ffff:c000:0207"])
  func isUnmapped(address: String) {
    let header = Parsed("PROXY TCP6 \(address) ::ffff:10.0.0.1 1 2\r\n").header
    #expect(header?.source == "192.0.2.7:1" && header?.destination == "10.0.0.1:2")
  }
}

@Suite("A reader of headers")
struct ProxyHeaderTests {
  @Test("takes nothing else for a header, as soon as the first wrong byte is there")
  func takesNothingElse() {
    for text in ["GET / HTTP/1.0\r\n", "\n", "\u{16}\u{3}\u{1}", "PROXX", "PROXYTCP4", " PROXY UNKNOWN\r\n", "\0"] {
      #expect(Parsed(text) == .invalid(.noHeader), "\(text)")
    }
    #expect(Parsed("\r\nx") == .invalid(.noHeader) && Parsed("\r\n\r\n\0\r\nQUIT\r") == .invalid(.noHeader))
    for text in ["", "P", "PROXY", "\r", "\r\n\r\n\0\r\nQUI"] { #expect(Parsed(text) == .incomplete, "\(text)") }
  }

  @Test("reads no other version than is accepted")
  func readsOneVersion() {
    let line = Array("PROXY UNKNOWN\r\n".utf8)
    let local = binary(0x20, 0, [])
    #expect(Parsed(line, accepting: .one).header?.version == 1 && Parsed(local, accepting: .two).header?.version == 2)
    #expect(Parsed(line, accepting: .two) == .invalid(.versionNotAccepted(1)))
    #expect(Parsed(local, accepting: .one) == .invalid(.versionNotAccepted(2)))
    // Other bytes are invalid whatever is accepted.
    #expect(Parsed("GET /", accepting: .two) == .invalid(.noHeader) && Parsed("PRO", accepting: .two) == .incomplete)
  }
}
