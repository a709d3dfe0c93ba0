import Testing

@testable import Clients

@Suite struct TerminalTextTests {
  @Test(arguments: [
    ("plain\ttext\n", "plain\ttext\n"), ("a\r\nb", "a\nb"), ("a\rb", "a\\x0db"), ("\u{1b}[2J\u{7}", "\\x1b[2J\\x07"),
    ("grüß €😀", "grüß €😀"), ("\u{9b}2J", "\\xc2\\x9b2J"), ("\u{202e}evil", "\\xe2\\x80\\xaeevil"),
    ("\u{7f}\0", "\\x7f\\x00"),
    ("e\u{301}", "e\u{301}"), ("a\\x1b", "a\\x1b"),
  ])
  func showsTextOnly(text: String, shown: String) {
    // However it is cut.
    for size in 1...4 {
      var filter = TerminalText()
      var result = ""
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        result += filter.shown(rest.prefix(size))
        rest = rest.dropFirst(size)
      }
      #expect(result + filter.finish() == shown, "\(size)")
    }
  }

  @Test func showsWhatIsNoText() {
    var filter = TerminalText()
    let shown = filter.shown([0x41, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x9b, 0xf4, 0x90, 0x80, 0x80, 0xe2, 0x82])
    #expect(shown == "A\\xff\\xc3(\\xed\\xa0\\x80\\x9b\\xf4\\x90\\x80\\x80")
    #expect(filter.finish() == "\\xe2\\x82" && !filter.isAtLineStart)
  }
}
