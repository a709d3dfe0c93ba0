import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

@testable import Clients

@Suite struct ModeTextTests {
  @Test(
    "reads octal digits", arguments: [("600", 0o600), ("0600", 0o600), ("0660", 0o660), ("000", 0), ("777", 0o777)])
  func reads(text: String, mode: UInt32) { #expect(ModeText.parse(text) == mode) }

  @Test("refuses the rest", arguments: ["", "6", "60", "1600", "00600", "0800", "6 0", "-600", "u+w", "0x1f", "+77"])
  func refuses(text: String) { #expect(ModeText.parse(text) == nil) }
}

@Suite struct SegmentNameTests {
  @Test("decimal is an identifier, the rest a key")
  func reads() throws {
    #expect(try SegmentName("0") == .identifier(0))
    #expect(try SegmentName("32769") == .identifier(32769))
    #expect(try SegmentName("0x4d2") == .key(.number(SystemVKey(rawValue: 1234))))
    #expect(try SegmentName("./x:2") == .key(.file(path: "./x", project: 2)))
  }

  @Test("refuses the rest", arguments: ["", "-1", "2147483648", "x", "0x0", "1x"])
  func refuses(text: String) { #expect(throws: KeyName.Problem.self) { try SegmentName(text) } }
}
