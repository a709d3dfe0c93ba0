import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

@Suite(.timeLimit(.minutes(1))) struct ProgramErrorsTests {
  /// The lines that are logged when programs write these pieces one after the other.
  private func lines(_ pieces: String...) throws -> [String] {
    var errors = try ProgramErrors()
    var lines: [String] = []
    for piece in pieces {
      try errors.writing.writeAll(piece)
      errors.read {
        lines.append($0); return true
      }
    }
    errors.flush {
      lines.append($0); return true
    }
    return lines
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

  @Test("are nobody's business where there are none")
  func areNone() throws {
    var errors = try ProgramErrors()
    errors.read {
      Issue.record("\($0)")
      return true
    }
  }

  @Test("are counted as left out where the log takes no more")
  func areCountedWhereNobodyTakesThem() throws {
    var errors = try ProgramErrors()
    try errors.writing.writeAll("one\ntwo\nthree\n")
    errors.read { _ in false }
    var lines: [String] = []
    errors.flush {
      lines.append($0)
      return true
    }
    #expect(lines == ["3 lines of programs are left out: more than 50/s burst 100, or than the log takes"])
  }
}
