import Testing

@testable import Settings

@Suite("IdentityRange") struct IdentityRangeTests {
  @Test(
    "reads two numbers",
    arguments: [
      ("65536-99999", 65_536...99_999), ("1-1", 1...1), ("1-65533", 1...65_533),
      ("65536-4294967294", 65_536...4_294_967_294),
    ] as [(String, ClosedRange<UInt32>)])
  func reads(text: String, numbers: ClosedRange<UInt32>) {
    let range = IdentityRange(parsing: text)
    #expect(range?.numbers == numbers && range?.description == text)
  }

  @Test(
    "refuses anything else, and numbers that no service can have",
    arguments: [
      "", "-", "5", "5-4", "-5", "5-", "a-b", "1 - 2", "1-2-3", "0x1-0x2", "0-9", "60000-70000", "65534-65534",
      "65535-65536", "1-4294967295", "4294967295-4294967295", "70000-99999999999",
    ])
  func refuses(text: String) { #expect(IdentityRange(parsing: text) == nil) }

  @Test("has a usual range that can be used") func usual() {
    #expect(IdentityRange(parsing: IdentityRange.usual.description) == IdentityRange.usual)
    #expect(DaemonSettings().identityRange == .usual)
  }
}
