/// Reads a word as a number.
///
/// Source: toml.io/en/v1.0.0, "Integer" and "Float".
struct NumberReader {
  private let word: ArraySlice<UInt8>

  init(_ word: ArraySlice<UInt8>) { self.word = word }

  /// The number, or nil for anything that is not one or does not fit.
  func read() -> TOMLValue.Content? {
    if let (base, digits) = prefixedDigits {
      return Self.endOfDigits(digits, base: base) == digits.endIndex
        ? integer(digits, base: base, isNegative: false).map { .integer($0) } : nil
    }
    let unsigned = word.first == .plus || word.first == .hyphen ? word.dropFirst() : word
    let isNegative = word.first == .hyphen
    if unsigned.elementsEqual("inf".utf8) { return .float(isNegative ? -.infinity : .infinity) }
    if unsigned.elementsEqual("nan".utf8) { return .float(.nan) }
    guard let end = Self.endOfDigits(unsigned), unsigned.first != .zero || end == unsigned.startIndex + 1 else {
      return nil
    }
    if end == unsigned.endIndex { return integer(unsigned, base: 10, isNegative: isNegative).map { .integer($0) } }
    return isFractionAndExponent(unsigned[end...]) ? float().map { .float($0) } : nil
  }

  /// The base and the digits after `0x`, `0o` or `0b`.
  var prefixedDigits: (base: UInt8, digits: ArraySlice<UInt8>)? {
    guard word.count > 1, word.first == .zero else { return nil }
    let base: UInt8
    switch word[word.startIndex + 1] {
    case UInt8(ascii: "x"): base = 16
    case UInt8(ascii: "o"): base = 8
    case UInt8(ascii: "b"): base = 2
    default: return nil
    }
    return (base, word.dropFirst(2))
  }

  /// Where the digits end that `text` begins with, single underscores between them; nil if it begins with none.
  static func endOfDigits(_ text: ArraySlice<UInt8>, base: UInt8 = 10) -> Int? {
    func isDigit(_ byte: UInt8) -> Bool { byte.digitValue.map { $0 < base } ?? false }
    guard let first = text.first, isDigit(first) else { return nil }
    var end = text.startIndex + 1
    while end < text.endIndex {
      if isDigit(text[end]) {
        end += 1
      } else if text[end] == .underscore, end + 1 < text.endIndex, isDigit(text[end + 1]) {
        end += 2
      } else {
        break
      }
    }
    return end
  }

  private func isFractionAndExponent(_ text: ArraySlice<UInt8>) -> Bool {
    var rest = text
    if rest.first == .dot {
      guard let end = Self.endOfDigits(rest.dropFirst()) else { return false }
      rest = rest[end...]
    }
    guard let letter = rest.first else { return true }
    guard letter | 0x20 == UInt8(ascii: "e") else { return false }
    rest = rest.dropFirst()
    if rest.first == .plus || rest.first == .hyphen { rest = rest.dropFirst() }
    return Self.endOfDigits(rest) == rest.endIndex
  }

  /// Counts downwards, because the smallest number has no positive counterpart; nil beyond 64 bits.
  private func integer(_ digits: ArraySlice<UInt8>, base: UInt8, isNegative: Bool) -> Int64? {
    var value: Int64 = 0
    for byte in digits where byte != .underscore {
      let (product, overflows) = value.multipliedReportingOverflow(by: Int64(base))
      let (difference, exceeds) = product.subtractingReportingOverflow(Int64(byte.digitValue!))
      if overflows || exceeds { return nil }
      value = difference
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }

  private func float() -> Double? {
    Double(String(decoding: word.filter { $0 != .underscore }, as: UTF8.self))
  }
}
