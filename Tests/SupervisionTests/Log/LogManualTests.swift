import ControlProtocol
import Foundation
import Logging
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// That begatd(8) describes the lines and fields that are written, and no others.
@Suite struct LogManualTests {
  /// The section LOG of begatd(8), as its source has it.
  private static let manual: String = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../man/begatd.8")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    let start = text.range(of: ".Sh LOG\n")?.upperBound ?? text.endIndex
    return String(text[start..<(text.range(of: "\n.Sh ", range: start..<text.endIndex)?.lowerBound ?? text.endIndex)])
  }()

  /// The words that it prints as literals.
  private static let literals = Set(
    manual.split(separator: "\n").filter { $0.hasPrefix(".Li ") || $0.hasPrefix(".It Li ") }
      .flatMap { $0.split(separator: " ") }.map(String.init))

  /// A pattern made of a line of the manual, in which words in capitals stand for something else.
  private static func pattern(_ form: String, _ parts: KeyValuePairs<String, String>) throws -> Regex<AnyRegexOutput> {
    var pattern = NSRegularExpression.escapedPattern(for: form)
    for (name, part) in parts {
      pattern = pattern.replacingOccurrences(of: NSRegularExpression.escapedPattern(for: name), with: part)
    }
    return try Regex(pattern)
  }

  private static let outcomes: [Outcome] = [
    .complete, .clientClosed, .firstByteTimeout, .idleTimeout, .maxDuration, .exited(status: 7), .failed,
    .ended(by: .terminate), .stopped(by: .kill), .crashed(by: Signal(rawValue: 11)),
  ]

  private static func record(_ outcome: Outcome, received: UInt64?, via: SocketAddress? = nil) -> ConnectionRecord {
    var record = ConnectionRecord(
      process: 12, peer: .ipv4(.loopback, port: 7), duration: .milliseconds(3), received: received, sent: received,
      outcome: outcome)
    record.via = via
    return record
  }

  @Test("has the form of each line about a connection")
  func hasForms() throws {
    let forms = Self.manual.split(separator: "\n").filter { $0.hasPrefix("SERVICE: pid PID for PEER[ via PROXY]: ") }
    #expect(forms.count == 3)
    let patterns = try forms.map {
      try Self.pattern(
        String($0),
        [
          "SERVICE": "[a-z]+", "PID": #"\d+"#, "PEER": #"\S+( at \S+)?"#, "[ via PROXY]": #"( via \S+)?"#,
          "DURATION": #"\d+ m?s"#,
          "[, received N, sent N bytes]": #"(, received \d+, sent \d+ bytes?)?"#, "END": "[a-zA-Z0-9, -]+",
          "LINE": ".*",
        ])
    }
    func expectOne(_ line: String) {
      let count = patterns.filter { line.wholeMatch(of: $0) != nil }.count
      #expect(count == 1, "\(line)")
    }
    for outcome in Self.outcomes {
      for received in [nil, 1 as UInt64?] {
        for via in [nil, SocketAddress.ipv4(.loopback, port: 8)] {
          var record = Self.record(outcome, received: received, via: via)
          for ender in Ender.allCases {
            record.ender = ender
            expectOne("echo: \(record)")
          }
          record.event = .opened
          expectOne("echo: \(record)")
        }
      }
    }
    expectOne("echo: \(Self.record(.complete, received: 1).head)program: a word")
  }

  @Test("has each end of a connection")
  func hasEnds() throws {
    let ends = Self.manual.split(separator: "\n").filter { $0.hasPrefix(".It Li ") && !$0.hasPrefix(".It Li BEGAT_") }
      .map { $0.dropFirst(".It Li ".count) }
    for outcome in Self.outcomes {
      let text = "\(outcome)".replacing(/SIG[A-Z]+/, with: "SIGNAL").replacing(/status \d+/, with: "status N")
      #expect(
        ends.contains { $0 == text } || ends.contains { $0.components(separatedBy: " , ").contains(text) }, "\(text)")
    }
  }

  @Test("has each word, each field and each member")
  func hasWords() {
    let words = Outcome.words + Ender.allCases.map { "\($0.word)" }
    for word in words { #expect(Self.literals.contains(word), "\(word)") }
    var fields: Set<String> = []
    var members: Set<String> = []
    withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { room in
      let source = RecordSource(service: "echo", sockets: [3: "127.0.0.1:7"])
      var entry = ByteWriter(room)
      for outcome in Self.outcomes {
        var record = Self.record(outcome, received: 1, via: .ipv4(.loopback, port: 8))
        record.socket = 3
        JournalFields.write(record, source, to: &entry)
      }
      for line in String(decoding: entry.bytes, as: UTF8.self).split(separator: "\n") {
        fields.insert(String(line.prefix { $0 != "=" }))
      }
      var lines = ByteWriter(room)
      var format = LineFormat(.json)
      for outcome in Self.outcomes {
        var record = Self.record(outcome, received: 1, via: .ipv4(.loopback, port: 8))
        record.socket = 3
        format.write(record, source, to: &lines)
      }
      format.write(.init(.info, .reloaded, nil), "x", to: &lines)
      for member in String(decoding: lines.bytes, as: UTF8.self).matches(of: /"([a-z-]+)":/) {
        members.insert(String(member.1))
      }
    }
    let known = Set(["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY"])
    #expect(fields.subtracting(known) == Self.literals.filter { $0.hasPrefix("BEGAT_") || $0 == "MESSAGE_ID" })
    for member in members { #expect(Self.literals.contains(member), "\(member)") }
  }
}
