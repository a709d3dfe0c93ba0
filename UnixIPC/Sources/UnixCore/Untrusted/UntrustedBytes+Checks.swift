/// Checks.  Each says what the bytes are to become, and throws the reason if they cannot.
extension UntrustedBytes {
  /// Reads a number in decimal: digits and nothing else, no sign.  Leading zeros are ignored.
  public func number<Number: FixedWidthInteger>(in range: ClosedRange<Number>) throws(CheckError) -> Number {
    guard !isEmpty else { throw failure(.empty) }
    guard contains(only: .digits) else { throw failure(.notDigits) }
    guard let number = Number(decimal: try validText()), range.contains(number) else {
      throw failure(.outside(lowest: String(range.lowerBound), highest: String(range.upperBound)))
    }
    return number
  }

  /// Accepts a word of these characters and no others, as perl's `/^([\w.-]+)$/` does, that is not empty and does not begin
  /// with a hyphen: that would be an option where the word becomes an argument.
  ///
  /// The word may be `..` if dots are allowed: for names of files there is ``fileName()``.
  public func word(of allowed: ASCIISet, upTo maximum: Int = .max) throws(CheckError) -> String {
    guard !isEmpty else { throw failure(.empty) }
    guard count <= maximum else { throw failure(.tooLong(limit: maximum)) }
    guard contains(only: allowed) else { throw failure(.otherCharacters) }
    guard !hasPrefix("-") else { throw failure(.beginsWithHyphen) }
    return try validText()
  }

  /// Accepts a text of one line: UTF-8 without control characters (such as tab and newline), without the separators of
  /// lines and paragraphs, and without characters that turn the direction of writing, which make a text look different.
  public func text() throws(CheckError) -> String {
    let text = try validText()
    for scalar in text.unicodeScalars {
      if scalar.isASCII ? scalar.value < 0x20 || scalar.value == 0x7f : scalar.isControl {
        throw failure(.controlCharacter)
      }
    }
    return text
  }

  /// Accepts an argument of a program: UTF-8 without NUL that does not begin with a hyphen, which would make it an option.
  ///
  /// It may be empty, and have several lines.  The caller must know what else the program does not take literally: some
  /// programs treat a first `+` or `@` differently, and a shell treats most characters so.
  public func argument() throws(CheckError) -> String {
    guard !hasPrefix("-") else { throw failure(.beginsWithHyphen) }
    let text = try validText()
    guard !text.utf8.contains(0) else { throw failure(.containsNUL) }
    return text
  }

  /// Accepts bytes by a rule of the caller.
  public func checked(_ accept: (ArraySlice<UInt8>) -> Bool) throws(CheckError) -> [UInt8] {
    let bytes = withUncheckedBytes { Array($0) }
    guard accept(bytes[...]) else { throw failure(.refusedByRule) }
    return bytes
  }

  func failure(_ reason: CheckError.Reason) -> CheckError { CheckError(reason, of: self) }

  private func contains(only allowed: ASCIISet) -> Bool {
    withUncheckedBytes { $0.allSatisfy { allowed.contains($0) } }
  }

  private func validText() throws(CheckError) -> String {
    guard let text = withUncheckedBytes({ String(validating: $0, as: UTF8.self) }) else { throw failure(.notUTF8) }
    return text
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: properties.isBidiControl
    }
  }
}
