/// Makes bytes of a peer fit for a log or a terminal: one line of printable ASCII, everything else as `\xHH`.
///
/// The backslash itself is doubled, so that nobody can forge an escape.
///
/// - Parameter doublingBackslashes: false for text whose parts were escaped already.
public func escaped(_ bytes: some Sequence<UInt8>, doublingBackslashes: Bool = true) -> String {
  var text = ""
  for byte in bytes {
    switch byte {
    case UInt8(ascii: "\\") where doublingBackslashes: text += "\\\\"
    case 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
    default:
      let digits = String(byte, radix: 16)
      text += digits.count == 1 ? "\\x0" + digits : "\\x" + digits
    }
  }
  return text
}

extension String {
  /// Whether the text can be shown in one line as it is: it has no control characters.
  var isPlain: Bool { unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) } }
}
