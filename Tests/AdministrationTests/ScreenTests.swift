import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@testable import Administration

/// Output to a terminal.
@Suite struct ScreenTests {
  private static func drawn(_ screens: [[ScreenLine]], _ size: TerminalSize) throws -> [String] {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    try reading.setNonBlocking(true)
    var screen = ScreenOutput(NonBlockingOutput(ends.writeEnd))
    return try screens.map { lines in
      try screen.draw(lines, size)
      var bytes = [UInt8](repeating: 0, count: 65_536)
      let count = (try? bytes.withUnsafeMutableBytes { try reading.read(into: $0) }) ?? 0
      return String(decoding: bytes[..<count], as: UTF8.self)
    }
  }

  @Test("only lines that have changed are written")
  func writesChanges() throws {
    let size = TerminalSize(columns: 5, rows: 3)
    let drawn = try Self.drawn(
      [
        [ScreenLine("one"), ScreenLine("two", .reversed)], [ScreenLine("one"), ScreenLine("two", .reversed)],
        [ScreenLine("one"), ScreenLine("a long line"), ScreenLine("x")], [ScreenLine("one")],
      ], size)
    #expect(
      drawn == [
        "\u{1b}[0m\u{1b}[2J\u{1b}[1;1H\u{1b}[Kone\u{1b}[2;1H\u{1b}[K\u{1b}[7mtwo\u{1b}[0m", "",
        "\u{1b}[2;1H\u{1b}[Ka lon\u{1b}[3;1H\u{1b}[Kx", "\u{1b}[2;1H\u{1b}[K\u{1b}[3;1H\u{1b}[K",
      ])
  }

  @Test("a terminal that takes nothing delays nothing, and gets the latest screen when it takes again")
  func survivesASlowTerminal() throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    var screen = ScreenOutput(NonBlockingOutput(ends.writeEnd))
    let size = TerminalSize(columns: 200, rows: 500)
    func lines(_ word: String) -> [ScreenLine] {
      (0..<500).map { _ in ScreenLine(String(repeating: word, count: 200 / word.count)) }
    }
    try screen.draw(lines("a"), size)
    let isBusy = screen.isBusy
    #expect(isBusy)
    try screen.draw(lines("b"), size)
    var shown = ""
    while screen.isBusy {
      shown += String(decoding: try reading.read(maxCount: 65_536), as: UTF8.self)
      try screen.flush()
    }
    try screen.draw([ScreenLine("c")], size)
    while screen.isBusy {
      shown += String(decoding: try reading.read(maxCount: 65_536), as: UTF8.self)
      try screen.flush()
    }
    shown += String(decoding: try reading.read(maxCount: 65_536), as: UTF8.self)
    #expect(shown.contains("a") && !shown.contains("b") && shown.contains("c"))
  }

  @Test("a terminal that is gone is an error")
  func noTerminal() throws {
    let ends = try PipeEnds()
    var screen = ScreenOutput(NonBlockingOutput(ends.writeEnd))
    _ = consume ends.readEnd
    var failure: SystemCallError?
    do throws(SystemCallError) { try screen.draw([ScreenLine("x")], .standard) } catch { failure = error }
    #expect(failure?.code == .brokenPipe && failure?.object == "the terminal")
  }

  @Test("a line is cut, whatever its parts", arguments: [0, 1, 4, 6, 7, 50])
  func cutsLines(columns: Int) {
    var line = ScreenLine("abcd", .bold)
    line.add("ef")
    line.add("\u{1b}")
    let text = String(decoding: line.bytes(columns: columns), as: UTF8.self)
    #expect(
      text.replacing("\u{1b}[1m", with: "").replacing("\u{1b}[0m", with: "") == String("abcdef\\x1b".prefix(columns)))
    #expect(text.contains("\u{1b}[1m") == text.contains("\u{1b}[0m"))
  }

  @Test("much processor time for a screen delays the next")
  func interval() {
    let two = ScreenInterval(duration: .seconds(2))
    #expect(two.duration(afterUsing: .milliseconds(1)) == .seconds(2))
    #expect(two.duration(afterUsing: .milliseconds(100)) == .seconds(4))
    let given = ScreenInterval(duration: .seconds(2), isAdaptive: false)
    #expect(given.duration(afterUsing: .seconds(9)) == .seconds(2))
  }
}
