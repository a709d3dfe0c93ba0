/// What is wrong with a word that was probably meant as a number; nil if it is text.
func numberSlip(of word: ArraySlice<UInt8>) -> String? {
  let sign = word.prefix { $0 == .plus || $0 == .hyphen }
  let digits = word.dropFirst(sign.count)
  if sign.count < 2, let slip = prefixSlip(of: digits, sign: sign) { return slip }
  guard digits.contains(where: \.isDigit), digits.allSatisfy(isPartOfNumber),
    digits.filter({ $0 == .dot }).count < 2, digits.filter({ $0 | 0x20 == UInt8(ascii: "e") }).count < 2
  else { return nil }
  if sign.count > 1 { return "a number has one sign" }
  if let slip = pointSlip(of: digits, sign: sign) { return slip }
  if let slip = underscoreSlip(of: digits) { return slip }
  if digits.first == .zero, digits.dropFirst().first?.isDigit ?? false {
    return leadingZeroSlip(of: digits, sign: sign)
  }
  return digits.allSatisfy({ $0.isDigit || $0 == .underscore }) ? rangeSlip : nil
}

private let rangeSlip = "a number lies between -9223372036854775808 and 9223372036854775807"

private func isPartOfNumber(_ byte: UInt8) -> Bool {
  byte.isDigit || byte == .underscore || byte == .dot || byte == .plus || byte == .hyphen
    || byte | 0x20 == UInt8(ascii: "e")
}

/// Slips of `0x`, `0o` and `0b`.
private func prefixSlip(of digits: ArraySlice<UInt8>, sign: ArraySlice<UInt8>) -> String? {
  guard digits.first == .zero, let letter = digits.dropFirst().first, "xobXOB".utf8.contains(letter) else { return nil }
  let small = letter | 0x20
  if letter != small { return "write 0\(Unicode.Scalar(small)) in small letters" }
  if !sign.isEmpty { return "a number with 0\(Unicode.Scalar(small)) has no sign" }
  let base: UInt8 = small == UInt8(ascii: "x") ? 16 : small == UInt8(ascii: "o") ? 8 : 2
  let rest = digits.dropFirst(2)
  if NumberReader.endOfDigits(rest, base: base) == rest.endIndex { return rangeSlip }
  if let slip = underscoreSlip(of: rest) { return slip }
  return "0\(Unicode.Scalar(small)) is followed by digits of base \(base)"
}

private func underscoreSlip(of digits: ArraySlice<UInt8>) -> String? {
  for place in digits.indices where digits[place] == .underscore {
    let neighbours = [place - 1, place + 1].filter { digits.indices.contains($0) && digits[$0].digitValue != nil }
    if neighbours.count < 2 { return "an underscore stands between two digits" }
  }
  return nil
}

private func pointSlip(of digits: ArraySlice<UInt8>, sign: ArraySlice<UInt8>) -> String? {
  guard let point = digits.firstIndex(of: .dot) else { return nil }
  let (before, after) = (digits[..<point], digits[(point + 1)...])
  if before.last?.isDigit ?? false, after.first?.isDigit ?? false { return nil }
  guard before.allSatisfy(\.isDigit), after.allSatisfy(\.isDigit) else { return "a point stands between two digits" }
  let zero = [UInt8.zero]
  let better = Array(sign) + (before.isEmpty ? zero : Array(before)) + [.dot] + (after.isEmpty ? zero : Array(after))
  return "a point stands between two digits; write \(printable(better))"
}

private func leadingZeroSlip(of digits: ArraySlice<UInt8>, sign: ArraySlice<UInt8>) -> String {
  var rest = digits.drop { $0 == .zero || $0 == .underscore }
  if !(rest.first?.isDigit ?? false) { rest = digits[(rest.startIndex - 1)...] }
  let text = printable(Array(sign) + digits)
  return "a number has no leading zero; write \(printable(Array(sign) + rest)), "
    + "or \"\(text)\" if text such as permissions is meant"
}
