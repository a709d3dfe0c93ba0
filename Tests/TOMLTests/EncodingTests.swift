import TOML
import Testing

@Suite struct EncodingTests {
  @Test(
    "takes every length of sequence",
    arguments: ["\u{7f}\u{80}", "\u{7ff}\u{800}", "\u{d7ff}\u{e000}", "\u{ffff}\u{10000}", "\u{fffff}\u{10ffff}"])
  func takesSequences(text: String) {
    #expect(fault("#" + text.dropFirst(text.first == "\u{7f}" ? 1 : 0)) == "")
  }

  @Test(
    "names the first byte that is not UTF-8",
    arguments: [
      ([0xff], "1:1", "ff"), ([0x23, 0xc3], "1:2", "c3"), ([0x23, 0xc3, 0x28], "1:2", "c3"),
      ([0x23, 0xc0, 0x80], "1:2", "c0"), ([0x23, 0xe0, 0x9f, 0x80], "1:2", "e0"),
      ([0x23, 0xed, 0xa0, 0x80], "1:2", "ed"),
      ([0x23, 0xf0, 0x8f, 0x80, 0x80], "1:2", "f0"), ([0x23, 0xf4, 0x90, 0x80, 0x80], "1:2", "f4"),
      ([0x23, 0xf5, 0x80, 0x80, 0x80], "1:2", "f5"), ([0x23, 0xe2, 0x82], "1:2", "e2"), ([0x23, 0x80], "1:2", "80"),
      ([0x23, 0xc3, 0xa9, 0x0a, 0x23, 0xc3, 0xa9, 0xe9], "2:3", "e9"), ([0xef, 0xbb, 0xbf, 0xef, 0xbb], "1:1", "ef"),
      ([0xef, 0xbb], "1:1", "ef"),
    ] as [([UInt8], String, String)])
  func namesTheByte(bytes: [UInt8], position: String, byte: String) {
    #expect(fault(bytes) == "\(position): the byte 0x\(byte) does not belong to UTF-8 here; save the file as UTF-8")
  }

  @Test("recognises UTF-16", arguments: [[0xff, 0xfe, 0x61, 0x00], [0xfe, 0xff, 0x00, 0x61]] as [[UInt8]])
  func recognisesUTF16(bytes: [UInt8]) { #expect(fault(bytes) == "1:1: this is UTF-16; save the file as UTF-8") }

  @Test("takes one byte order mark, at the start")
  func takesOneMark() {
    #expect(fault("\u{feff}") == "")
    #expect(fault("\u{feff}# x\r\n") == "")
    #expect(fault("\u{feff}\u{feff}") == "1:1: U+FEFF cannot be seen; write an ordinary space")
  }
}
