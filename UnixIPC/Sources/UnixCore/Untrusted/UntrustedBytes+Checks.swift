/// Checks: each names what the bytes are to be, and throws what keeps them from it.
extension UntrustedBytes {
  /// A number in decimal: digits and nothing else, no sign.  Leading zeros count for nothing.
  public func number<Number: FixedWidthInteger>(in range: ClosedRange<Number>) throws(Refusal) -> Number {
    guard !isEmpty else { throw refusal(.empty) }
    guard contains(only: .digits) else { throw refusal(.notDigits) }
    guard let number = Number(decimal: try validText()), range.contains(number) else {
      throw refusal(.outside(lowest: String(range.lowerBound), highest: String(range.upperBound)))
    }
    return number
  }

  /// A word of these characters and no other, perl's `/^([\w.-]+)$/`, but not with a hyphen first: it would be an option
  /// wherever it becomes an argument.  Neither is it empty.
  ///
  /// The word may be `..` where dots are allowed: for names of files there is `fileName`.
  public func word(of allowed: ASCIISet, upTo longest: Int = .max) throws(Refusal) -> String {
    guard !isEmpty else { throw refusal(.empty) }
    guard count <= longest else { throw refusal(.tooLong(limit: longest)) }
    guard contains(only: allowed) else { throw refusal(.otherCharacters) }
    guard !hasPrefix("-") else { throw refusal(.beginsWithHyphen) }
    return try validText()
  }

  /// A text of one line: UTF-8 without control characters (tab and newline are such), without the separators of lines
  /// and paragraphs, and without those that turn the direction of writing and so show a text other than it is.
  public func text() throws(Refusal) -> String {
    let text = try validText()
    for scalar in text.unicodeScalars {
      if scalar.isASCII ? scalar.value < 0x20 || scalar.value == 0x7f : scalar.isControl {
        throw refusal(.controlCharacter)
      }
    }
    return text
  }

  /// An argument of a program: UTF-8 without NUL, and not with a hyphen first, which would make it an option.
  ///
  /// It may be empty, and have more than one line.  What else a program takes for more than a text is for its caller to
  /// know: `+` and `@` of some, and all of it for a shell.
  public func argument() throws(Refusal) -> String {
    guard !hasPrefix("-") else { throw refusal(.beginsWithHyphen) }
    let text = try validText()
    guard !text.utf8.contains(0) else { throw refusal(.containsNUL) }
    return text
  }

  /// Bytes that a rule of one's own accepts.
  public func checked(_ accept: (ArraySlice<UInt8>) -> Bool) throws(Refusal) -> [UInt8] {
    let bytes = withUncheckedBytes { Array($0) }
    guard accept(bytes[...]) else { throw refusal(.refusedByRule) }
    return bytes
  }

  func refusal(_ reason: Refusal.Reason) -> Refusal { Refusal(reason, of: self) }

  private func contains(only allowed: ASCIISet) -> Bool {
    withUncheckedBytes { $0.allSatisfy { allowed.contains($0) } }
  }

  private func validText() throws(Refusal) -> String {
    guard let text = withUncheckedBytes({ String(validating: $0, as: UTF8.self) }) else { throw refusal(.notUTF8) }
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
