import Settings
import Testing

@Suite struct FNV1aTests {
  @Test(
    "is the published number of each text",
    arguments: [
      ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8),
    ] as [(String, UInt64)])
  func isTheNumber(text: String, number: UInt64) { #expect(text.utf8.fnv1a == number) }
}
