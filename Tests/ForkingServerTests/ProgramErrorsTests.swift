import CSharedLayouts
import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite(.timeLimit(.minutes(30))) struct ProgramErrorsTests {
  /// The lines that are logged when programs write these pieces one after the other.
  private func lines(_ pieces: String...) throws -> [String] {
    let rate = ProgramLineRate()
    let errors = try ProgramErrors(rate: rate)
    var lines: [String] = []
    func log(_ message: ProgramMessage) -> Bool {
      lines.append(message.text)
      return true
    }
    for piece in pieces {
      try write(piece, to: errors)
      read(errors, rate, log)
    }
    errors.lines.finishPart(log)
    rate.sayLeftOut(log)
    return lines
  }

  private func write(_ text: String, to errors: ProgramErrors) throws {
    try Descriptor.withBorrowed(errors.number) { try $0.writeAll(text) }
  }

  private func read(_ errors: ProgramErrors, _ rate: ProgramLineRate, _ log: (ProgramMessage) -> Bool) {
    if case .output(let bytes) = rate.read(errors.reading) { errors.lines.take(bytes, log) }
  }

  @Test("are lines, however they were written")
  func areLines() throws {
    #expect(try lines("one\ntwo\n") == ["program: one", "program: two"])
    #expect(try lines("o", "n", "e\nt", "wo") == ["program: one", "program: two"])
    #expect(try lines("\n\n", "one\r\n", "\r\n") == ["program: one"])
    #expect(try lines() == [])
  }

  @Test("cannot harm a terminal or forge a line")
  func areEscaped() throws {
    #expect(try lines("\u{1b}[31mred\u{7}\0\n") == ["program: \\x1b[31mred\\x07\\x00"])
  }

  @Test("are cut where a line has no end")
  func areCut() throws {
    let long = String(repeating: "x", count: 30_000)
    #expect(try lines(long, long, "\nshort\n") == ["program: " + String(long.prefix(1000)), "program: short"])
  }

  @Test("are left out and counted where a program does not stop")
  func areBounded() throws {
    let many = String(repeating: "l\n", count: 5000)
    let lines = try lines(many, many, many)
    let last = try #require(lines.last)
    // 100 at once, and as many more as the time of writing brought.
    #expect((101...300).contains(lines.count), "\(lines.count)")
    #expect(
      last.hasSuffix("lines of programs are left out: more than 50/s burst 100, or than the log takes"), "\(last)")
  }

  @Test("say which connection they belong to, where the pipe is one connection's")
  func sayWhose() throws {
    let own = ProgramLines(
      of: begat_record(.ended, process: 4711, peer: PeerFields(nil), user: 0, socket: -1, text: PeerText(.full)),
      rate: ProgramLineRate())
    var lines: [String] = []
    func log(_ message: ProgramMessage) -> Bool {
      lines.append(message.text)
      return true
    }
    Array("one\nrest".utf8).withUnsafeBytes { own.take($0, log) }
    #expect(lines == ["4711: one"] && own.hasPart)
    own.finishPart(log)
    #expect(lines == ["4711: one", "4711: rest"] && !own.hasPart)
  }

  @Test("are not waited for, and end with the last process that could write them")
  func areNotWaitedFor() throws {
    let rate = ProgramLineRate()
    let pipe = try PipeEnds.readWithoutWaiting()
    let reading = pipe.readEnd
    if case .nothing = rate.read(reading) {} else { Issue.record("an empty pipe has something") }
    // A program may wait for room in it.
    #expect(fcntl(pipe.writeEnd.number, F_GETFL) & O_NONBLOCK == 0)
    _ = consume pipe.writeEnd
    if case .end = rate.read(reading) {} else { Issue.record("a pipe without writers has no end") }
  }

  @Test("are counted as left out where the log takes no more")
  func areCountedWhereNobodyTakesThem() throws {
    let rate = ProgramLineRate()
    let errors = try ProgramErrors(rate: rate)
    try write("one\ntwo\nthree\n", to: errors)
    read(errors, rate) { _ in false }
    var lines: [String] = []
    rate.sayLeftOut {
      lines.append($0.text)
      return true
    }
    #expect(lines == ["3 lines of programs are left out: more than 50/s burst 100, or than the log takes"])
  }
}

extension ProgramMessage {
  /// The message as a log shows it.
  fileprivate var text: String {
    switch self {
    case .text(let text): text
    case .line(let line, let record): "\(record.pid): \(String(escaping: line))"
    }
  }
}
