/// Reads a word as a date, a time or both.
///
/// The year 0000 is one, as in RFC 3339; the second 60 is none, because only some days have it.
///
/// Source: toml.io/en/v1.0.0, "Offset Date-Time" to "Local Time"; RFC 3339 section 5.6.
struct DateReader {
  private let word: ArraySlice<UInt8>
  private var rest: ArraySlice<UInt8>

  private init(_ word: ArraySlice<UInt8>) {
    self.word = word
    rest = word
  }

  /// Whether a word begins like a date, `1979-`.
  static func beginsDate(_ word: ArraySlice<UInt8>) -> Bool {
    word.count > 4 && word.prefix(4).allSatisfy(\.isDigit) && word[word.startIndex + 4] == .hyphen
  }

  /// Whether a word begins like a time, `07:`.
  static func beginsTime(_ word: ArraySlice<UInt8>) -> Bool {
    word.count > 2 && word.prefix(2).allSatisfy(\.isDigit) && word[word.startIndex + 2] == .colon
  }

  /// The date, or nil for anything that is not one.
  static func read(_ word: ArraySlice<UInt8>) -> TOMLDate? {
    var reader = DateReader(word)
    guard let kind = beginsDate(word) ? reader.readDate() : reader.readTime() ? .localTime : nil,
      reader.rest.isEmpty
    else { return nil }
    return TOMLDate(kind: kind, text: String(decoding: word, as: UTF8.self))
  }

  /// A date and the time that may follow it.
  private mutating func readDate() -> TOMLDate.Kind? {
    guard let year = number(digits: 4, in: 0...9999), take(.hyphen),
      let month = number(digits: 2, in: 1...12), take(.hyphen),
      number(digits: 2, in: 1...Self.days(year: year, month: month)) != nil
    else { return nil }
    guard let separator = rest.first else { return .localDate }
    guard separator | 0x20 == UInt8(ascii: "t") || separator == .space else { return nil }
    rest = rest.dropFirst()
    guard readTime() else { return nil }
    if rest.isEmpty { return .localDateTime }
    return readOffset() ? .offsetDateTime : nil
  }

  private mutating func readTime() -> Bool {
    guard number(digits: 2, in: 0...23) != nil, take(.colon),
      number(digits: 2, in: 0...59) != nil, take(.colon),
      number(digits: 2, in: 0...59) != nil
    else { return false }
    guard take(.dot) else { return true }
    let fraction = rest.prefix(while: \.isDigit)
    rest = rest.dropFirst(fraction.count)
    return !fraction.isEmpty
  }

  private mutating func readOffset() -> Bool {
    if take(UInt8(ascii: "Z")) || take(UInt8(ascii: "z")) { return true }
    return (take(.plus) || take(.hyphen)) && number(digits: 2, in: 0...23) != nil && take(.colon)
      && number(digits: 2, in: 0...59) != nil
  }

  private mutating func number(digits: Int, in range: ClosedRange<Int>) -> Int? {
    let text = rest.prefix(digits)
    guard text.count == digits, text.allSatisfy(\.isDigit) else { return nil }
    rest = rest.dropFirst(digits)
    let value = text.reduce(0) { $0 * 10 + Int($1 - .zero) }
    return range.contains(value) ? value : nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard rest.first == byte else { return false }
    rest = rest.dropFirst()
    return true
  }

  private static func days(year: Int, month: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
