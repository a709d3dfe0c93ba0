import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DecodedTextTests {
  @Test(
    "replaces each byte that is not valid, and leaves out what has only begun",
    arguments: [
      ([], "", ""),
      ([0x61, 0xc3, 0xa9, 0x62], "aéb", "aéb"),
      ([0xff, 0x61], "\u{FFFD}a", "\u{FFFD}a"),
      // A tail that has begun.
      ([0x61, 0xc3], "a", "a\u{FFFD}"),
      ([0x61, 0xe2, 0x82], "a", "a\u{FFFD}\u{FFFD}"),
      ([0xf0, 0x9f, 0x98], "", "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0xfe, 0xf0, 0x9f, 0x98], "\u{FFFD}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
      // A tail that is wrong already: overlong, a surrogate, beyond U+10FFFF, a lone continuation.
      ([0x61, 0xe0, 0x80], "a\u{FFFD}\u{FFFD}", "a\u{FFFD}\u{FFFD}"),
      ([0x61, 0xed, 0xa0], "a\u{FFFD}\u{FFFD}", "a\u{FFFD}\u{FFFD}"),
      ([0xf4, 0x90], "\u{FFFD}\u{FFFD}", "\u{FFFD}\u{FFFD}"),
      ([0x80], "\u{FFFD}", "\u{FFFD}"),
      ([0xc3, 0x28], "\u{FFFD}(", "\u{FFFD}("),
      ([0xf0, 0x9f, 0x98, 0x80], "😀", "😀"),
    ] as [([UInt8], String, String)])
  func replaces(bytes: [UInt8], open: String, complete: String) {
    #expect(DecodedText(bytes[...], isComplete: false).text == open)
    #expect(DecodedText(bytes[...], isComplete: true).text == complete)
  }

  @Test("finds every place's byte again")
  func mapsBack() {
    // Random mixtures of characters and rubbish, each character's length known.
    var random = UInt64(7)
    for _ in 0..<200 {
      var bytes: [UInt8] = []
      var offsets: [Int] = [0]
      for _ in 0..<20 {
        random = random &* 6_364_136_223_846_793_005 &+ 1
        let pieces: [[UInt8]] = [[0x61], Array("é".utf8), Array("€".utf8), Array("😀".utf8), [0xff], [0xfe], [0x0d]]
        bytes += pieces[Int(random >> 33) % pieces.count]
        offsets.append(bytes.count)
      }
      let decoded = DecodedText(bytes[...], isComplete: true)
      let scalars = decoded.text.unicodeScalars
      #expect(scalars.indices.map { decoded.byteOffset(of: $0) } + [bytes.count] == offsets)
      #expect(decoded.byteOffset(of: decoded.text.endIndex) == bytes.count)
    }
  }
}
