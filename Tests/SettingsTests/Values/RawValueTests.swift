import TOML
import TestSupport
import Testing

@testable import Settings

@Suite struct RawValueTests {
  /// The value that a TOML parser finds behind `v = `.
  private func parsed(_ text: String) throws -> RawValue? {
    try TOMLParser.parse(Array("v = \(text)\n".utf8))["v"].map(RawValue.init)
  }

  @Test(
    "is written as TOML, whatever its characters",
    arguments: [
      .string(""), .string("a\"b\\c"), .string("tab\tline\nreturn\rbell\u{7}escape\u{1b}delete\u{7f}"),
      .string("é 漢 🦫"),
      .string("#= [x]"), .string("'"), .string("\"\"\""), .string("\\u0041"), .integer(.max), .integer(.min),
      .integer(0),
      .boolean(true), .boolean(false), .list([]), .list([.string("a"), .list([.integer(1)])]), .table([]),
      .table([RawValue.Member("LANG", .string("C")), RawValue.Member("a-b_1", .list([.string("\n")]))]),
    ] as [RawValue])
  func isWritten(raw: RawValue) throws { #expect(try parsed(raw.toml) == raw) }

  @Test("is written as TOML with random text")
  func isWrittenWithRandomText() throws {
    var random = SeededRandom(state: 11)
    let characters = (1...0x7f).map { Unicode.Scalar(UInt8($0)) } + ["é", "\u{85}", "\u{2028}", "\u{feff}", "🦫"]
    for _ in 0..<2000 {
      var text = ""
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        text.unicodeScalars.append(characters.randomElement(using: &random)!)
      }
      #expect(try parsed(RawValue.string(text).toml) == .string(text), "\(text.unicodeScalars.map(\.value))")
    }
  }

  @Test("is shown in messages by its value")
  func isShown() {
    #expect(RawValue.string("a\nb").shown == "\"a\\x0ab\"" && RawValue.integer(-1).shown == "-1")
    #expect(RawValue.boolean(true).shown == "true" && RawValue.list([]).shown == "an empty list")
    #expect(RawValue.list([.integer(1)]).shown == "a list" && RawValue.table([]).shown == "a table")
    #expect(RawValue.other(kind: "a date").shown == "a date")
  }
}

extension RawValue {
  init(_ value: TOMLValue) {
    switch value.content {
    case .string(let text): self = .string(text)
    case .integer(let number): self = .integer(number)
    case .boolean(let value): self = .boolean(value)
    case .array(let elements): self = .list(elements.map(RawValue.init))
    case .table(let table): self = .table(table.entries.map { Member($0.key.name, RawValue($0.value)) })
    case .float: self = .other(kind: "a floating-point number")
    case .date: self = .other(kind: "a date")
    }
  }
}
