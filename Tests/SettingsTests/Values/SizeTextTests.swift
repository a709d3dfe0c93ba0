import Settings
import TestSupport
import Testing

@Suite struct SizeTextTests {
  @Test(
    "is read and shown as shortly as it is read again",
    arguments: [
      ("0", 0, "0"), ("1", 1, "1"), ("4096", 4096, "4K"), ("512K", 512 << 10, "512K"), ("64M", 64 << 20, "64M"),
      ("2G", 2 << 30, "2G"), ("3T", 3 << 40, "3T"), ("1024K", 1 << 20, "1M"), ("1025", 1025, "1025"),
      ("007M", 7 << 20, "7M"), ("1m", 1 << 20, "1M"),
      ("0G", 0, "0"), ("4611686018427387904", 1 << 62, "4194304T"), ("4194304T", 1 << 62, "4194304T"),
    ] as [(String, UInt64, String)])
  func isRead(text: String, bytes: UInt64, shown: String) {
    #expect(SizeText.parse(text) == bytes && SizeText.render(bytes) == shown)
  }

  @Test(
    "is nothing else",
    arguments: [
      "", "K", "-1", "+1", "1.5M", "1 M", " 1M", "1M ", "1KB", "1KiB", "1E", "1MM", "0x10", "٣M", "5\u{308}M",
      "1M\0",
      "4611686018427387905", "4194305T", "18446744073709551615", "18446744073709551616K", "unlimited",
    ])
  func isNothingElse(text: String) { #expect(SizeText.parse(text) == nil) }

  @Test("is read again as it was shown")
  func isReadAgain() {
    var random = SeededRandom(state: 8)
    for _ in 0..<5000 {
      let shift = UInt64.random(in: 0...62, using: &random)
      let bytes = (UInt64.random(in: 0...(1 << 62), using: &random) >> shift) << (shift / 2)
      guard bytes <= 1 << 62 else { continue }
      #expect(SizeText.parse(SizeText.render(bytes)) == bytes)
    }
  }
}
