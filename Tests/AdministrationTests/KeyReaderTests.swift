import Testing

@testable import Administration

/// Bytes of a terminal as keys.
@Suite struct KeyReaderTests {
  @Test(
    "are read",
    arguments: [
      ("q", [.character("q")]), ("\u{1b}[A\u{1b}OB", [.up, .down]), ("\u{1b}[5~\u{1b}[6~", [.pageUp, .pageDown]),
      ("\u{1b}[H\u{1b}[4~", [.home, .end]), ("\r\n\t\u{7f}", [.enter, .enter, .tab, .backspace]),
      ("\u{3}\u{1a}", [.control("c"), .control("z")]), ("\u{1b}[1;5Cx", [.other, .character("x")]),
      ("\u{1b}x", [.other]), ("\u{1b}\u{1b}[A", [.escape, .up]), ("é", []),
    ] as [(String, [Key])])
  func read(text: String, keys: [Key]) {
    var reader = KeyReader()
    #expect(reader.take(text.utf8) == keys && !reader.isUndecided)
    // Byte by byte it is the same.
    var slow = KeyReader()
    #expect(text.utf8.flatMap { slow.take([$0]) } == keys)
  }

  @Test("the escape key is decided by time")
  func escape() {
    var reader = KeyReader()
    #expect(reader.take([0x1b]) == [] && reader.isUndecided)
    #expect(reader.finish() == [.escape] && !reader.isUndecided)
    #expect(reader.finish() == [])
  }

  @Test("a sequence without end is not waited for")
  func endless() {
    var reader = KeyReader()
    let keys = reader.take(("\u{1b}[" + String(repeating: "1", count: 40)).utf8)
    #expect(!keys.isEmpty && !reader.isUndecided)
  }
}
