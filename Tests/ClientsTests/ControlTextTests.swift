import Testing

@testable import Clients

@Suite struct ControlTextTests {
  @Test(
    "is bytes",
    arguments: [
      ("", []), ("plain", Array("plain".utf8)), ("ä", [0xc3, 0xa4]), ("\\n\\r\\t\\e\\\\", [10, 13, 9, 27, 92]),
      ("\\a\\b\\f\\v", [7, 8, 12, 11]), ("\\x00\\xfF1", [0, 255, 0x31]), ("a\\0b", [0x61, 0, 0x62]),
      ("\\cC\\cc\\c[\\c?\\c@\\c\\", [3, 3, 27, 127, 0, 28]), ("\\\\n", [92, 0x6e]),
    ] as [(String, [UInt8])])
  func isBytes(text: String, bytes: [UInt8]) throws { #expect(try ControlText.parse(text) == bytes) }

  @Test(
    "does not guess",
    arguments: ["\\", "a\\", "\\q", "\\N", "\\x", "\\x1", "\\xg0", "\\x1 ", "\\033", "\\c", "\\c1", "\\ä"])
  func doesNotGuess(text: String) { #expect(throws: ControlText.Problem.self) { try ControlText.parse(text) } }

  @Test("an escape key is a character, ^X or none")
  func escapeKeys() {
    #expect(EscapeKey("^]") == .standard && EscapeKey("^]")?.byte == 0x1d)
    #expect(EscapeKey("~")?.byte == 0x7e && EscapeKey("^a")?.byte == 1 && EscapeKey("^?")?.byte == 0x7f)
    #expect(EscapeKey("none") != nil && EscapeKey("none")?.byte == nil && EscapeKey("^")?.byte == 0x5e)
    for wrong in ["", "ab", "^1", "ä", "^^^", "None"] { #expect(EscapeKey(wrong) == nil) }
  }
}
