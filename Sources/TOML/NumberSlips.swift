/// What is wrong with a word that was probably meant as a number; nil if it is text.
func numberSlip(of word: ArraySlice<UInt8>) -> String? {
  let sign = word.prefix { $0 == .plus || $0 == .hyphen }
  let digits = word.dropFirst(sign.count)
  if sign.count < 2, let slip = prefixSlip(of: digits, sign: sign) { return slip }
  guard looksLikeNumber(digits) else { return nil }
  if sign.count > 1 { return "a number has one sign" }
  if let slip = pointSlip(of: digits, sign: sign) { return slip }
  if let slip = underscoreSlip(of: digits, base: 10) { return slip }
  if digits.first == .zero, let second = digits.dropFirst().first, second.isDigit || second == .underscore {
    return leadingZeroSlip(of: digits, sign: sign)
  }
  return digits.allSatisfy { $0.isDigit || $0 == .underscore } ? rangeSlip : nil
}

private let rangeSlip = "a number lies between -9223372036854775808 and 9223372036854775807"

/// Digits and underscores, at most one point, at most one `e`, and a sign only after that.
private func looksLikeNumber(_ text: ArraySlice<UInt8>) -> Bool {
  var previous: UInt8 = 0
  var points = 0
  var exponents = 0
  for byte in text {
    switch byte {
    case .dot: points += 1
    case UInt8(ascii: "e"), UInt8(ascii: "E"): exponents += 1
    case .plus, .hyphen: guard previous | 0x20 == UInt8(ascii: "e") else { return false }
    case .underscore: break
    default: guard byte.isDigit else { return false }
    }
    previous = byte
  }
  return points < 2 && exponents < 2 && text.contains(where: \.isDigit)
}

/// Slips of `0x`, `0o` and `0b`.
private func prefixSlip(of digits: ArraySlice<UInt8>, sign: ArraySlice<UInt8>) -> String? {
  guard digits.first == .zero, let letter = digits.dropFirst().first, "xobXOB".utf8.contains(letter) else { return nil }
  let prefix = "0\(Unicode.Scalar(letter | 0x20))"
  if letter != letter | 0x20 { return "write \(prefix) in small letters" }
  if !sign.isEmpty { return "a number with \(prefix) has no sign" }
  let (base, names): (UInt8, String) =
    switch prefix {
    case "0x": (16, "hexadecimal digits (0-9, a-f)")
    case "0o": (8, "octal digits (0-7)")
    default: (2, "binary digits (0 and 1)")
    }
  let rest = digits.dropFirst(2)
  if NumberReader.endOfDigits(rest, base: base) == rest.endIndex { return rangeSlip }
  return underscoreSlip(of: rest, base: base) ?? "only \(names) may follow \(prefix)"
}

private func underscoreSlip(of digits: ArraySlice<UInt8>, base: UInt8) -> String? {
  func isDigit(_ place: Int) -> Bool {
    digits.indices.contains(place) && (digits[place].digitValue.map { $0 < base } ?? false)
  }
  let misplaced = digits.indices.contains { digits[$0] == .underscore && !(isDigit($0 - 1) && isDigit($0 + 1)) }
  return misplaced ? "an underscore must be between two digits" : nil
}

private func pointSlip(of digits: ArraySlice<UInt8>, sign: ArraySlice<UInt8>) -> String? {
  guard let point = digits.firstIndex(of: .dot) else { return nil }
  let (before, after) = (digits[..<point], digits[(point + 1)...])
  if before.last?.isDigit ?? false, after.first?.isDigit ?? false { return nil }
  guard before.allSatisfy(\.isDigit), after.allSatisfy(\.isDigit) else { return "a point must be between two digits" }
  let better = [before, after].map { $0.isEmpty ? "0" : printable($0) }.joined(separator: ".")
  return "a point must be between two digits; write \(printable(sign))\(better)"
}

private func leadingZeroSlip(of digits: ArraySlice<UInt8>, sign: ArraySlice<UInt8>) -> String {
  var rest = digits.drop { $0 == .zero || $0 == .underscore }
  if !(rest.first?.isDigit ?? false) { rest = digits[(rest.startIndex - 1)...] }
  let slip = "a number has no leading zero; write \(printable(sign + rest))"
  let mayBeText = sign.isEmpty && digits.allSatisfy(\.isDigit)
  return mayBeText ? slip + ", or \"\(printable(digits))\" if text such as permissions is meant" : slip
}
