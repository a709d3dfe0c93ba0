extension String {
  /// Makes bytes fit for a log or a terminal: one line of printable ASCII, everything else as `\xHH`.
  ///
  /// The backslash itself is doubled, so that an escape cannot be forged.
  ///
  /// - Parameter bytes: a text or data that another program chose.
  /// - Parameter doublingBackslashes: false for text whose parts were escaped already.
  public init(escaping bytes: some Sequence<UInt8>, doublingBackslashes: Bool = true) {
    self = ""
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\\") where doublingBackslashes: self += "\\\\"
      case 0x20...0x7e: unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16)
        self += digits.count == 1 ? "\\x0" + digits : "\\x" + digits
      }
    }
  }

  /// Whether the text can be shown in one line as it is: it has no control characters.
  var isPlain: Bool { unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) } }
}

/// A short form of ``Swift/String/init(escaping:doublingBackslashes:)``.
@_spi(Begat) public func escaped(_ bytes: some Sequence<UInt8>, doublingBackslashes: Bool = true) -> String {
  String(escaping: bytes, doublingBackslashes: doublingBackslashes)
}
