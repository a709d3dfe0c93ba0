import ControlProtocol
import JSON
import Logging
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// The lines of standard error and of log files, as begatd(8) describes them.
@Suite struct LineFormatTests {
  private func line(_ style: LineFormat.Style, _ write: (inout LineFormat, inout ByteWriter) -> Void) -> String {
    var format = LineFormat(style)
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      var lines = ByteWriter(room)
      write(&format, &lines)
      return String(decoding: lines.bytes, as: UTF8.self)
    }
  }

  private static var record: ConnectionRecord {
    var record = ConnectionRecord(
      process: 4711, peer: .ipv4(IPv4Address(rawValue: 0xc000_0207), port: 51312), duration: .microseconds(3_456),
      received: 0, sent: 26, outcome: .exited(status: 7))
    record.socket = 3
    return record
  }

  private static let source = RecordSource(service: "echo", sockets: [3: "/run/a \"b\"\\x41.sock"])

  @Test("quote in JSON whatever a message has, and are read back as they were")
  func quote() throws {
    for text in [
      "plain", "a \"word\" and \\", "\u{0}\u{1b}\u{7f}", "ü\u{2028}😀", String(decoding: [0xff, 0xc2], as: UTF8.self),
    ] {
      let line = line(.json) { format, lines in format.write(.init(.notice, .reloaded, nil), text, to: &lines) }
      #expect(line.utf8.allSatisfy { (0x20...0x7e).contains($0) || $0 == 10 } && line.hasSuffix("}\n"))
      let value = try JSONReader.read(Array(line.utf8))
      #expect(try value.text("message") == text && value.text("event") == "reloaded" && value.text("level") == "notice")
      #expect(value["service"] == nil)
    }
  }

  @Test("have a connection's figures as members in JSON")
  func haveMembers() throws {
    let line = line(.json) { format, lines in format.write(Self.record, Self.source, to: &lines) }
    let value = try JSONReader.read(Array(line.utf8))
    #expect(try value.text("local") == "/run/a \"b\"\\x41.sock" && value.text("peer") == "192.0.2.7:51312")
    #expect(try value.text("event") == "connection-failed" && value.text("level") == "warning")
    #expect(try value.decimal("duration") == 0.003456 && value.number("pid") == 4711)
    #expect(try value.text("outcome") == "exited" && value.number("exit-status") == 7)
    let word = self.line(.json) { format, lines in
      format.write(programLine: "a \"word\"", of: Self.record, Self.source, to: &lines)
    }
    let spoken = try JSONReader.read(Array(word.utf8))
    #expect(try spoken.text("message") == "a \"word\"" && spoken.text("event") == "program-line")
    #expect(spoken["outcome"] == nil && spoken["duration"] == nil)
  }

  @Test("have the proxy that has named the client")
  func haveProxies() throws {
    var record = Self.record
    #expect(try JSONReader.read(Array(line(.json) { $0.write(record, Self.source, to: &$1) }.utf8))["via"] == nil)
    record.via = .ipv6(.loopback, port: 40_000)
    #expect(
      try JSONReader.read(Array(line(.json) { $0.write(record, Self.source, to: &$1) }.utf8)).text("via")
        == "[::1]:40000")
    record.via = .unixUnnamed
    let unix = try JSONReader.read(Array(line(.json) { $0.write(record, Self.source, to: &$1) }.utf8))
    #expect(try unix.text("via") == "/run/a \"b\"\\x41.sock" && unix.text("peer") == "192.0.2.7:51312")
  }

  @Test("have a Unix client's user and socket as its peer")
  func haveUsers() throws {
    var record = Self.record
    record.peer = .unixUnnamed
    record.user = 1000
    let line = line(.json) { format, lines in format.write(record, Self.source, to: &lines) }
    let value = try JSONReader.read(Array(line.utf8))
    #expect(try value.text("peer") == "uid 1000 at /run/a \"b\"\\x41.sock")
  }

  @Test("begin with a priority where the service manager reads them")
  func beginWithPriority() {
    let line = line(.prioritized) { format, lines in format.write(Self.record, Self.source, to: &lines) }
    #expect(
      line == "<4>echo: pid 4711 for 192.0.2.7:51312: 3 ms, received 0, sent 26 bytes, exit status 7\n")
  }
}
