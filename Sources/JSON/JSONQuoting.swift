@_spi(Begat) import UnixCore

/// A place for JSON, which takes it piece by piece.
protocol JSONOutput {
  mutating func append(_ byte: UInt8)
  mutating func append(_ text: StaticString)
  mutating func append(plain text: String)
}

/// Appends a text as a JSON string in quotation marks.  Only printable ASCII stands as it is; every other character is
/// written `\uXXXX`.
func quote(_ text: String, to output: inout some JSONOutput) {
  output.append("\"")
  defer { output.append("\"") }
  // Most texts stay as they are.
  if text.utf8.allSatisfy({ (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
    return output.append(plain: text)
  }
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": output.append("\\\"")
    case "\\": output.append("\\\\")
    case " "..."~": output.append(UInt8(scalar.value))
    default: for unit in UTF16.encode(scalar)! { append(unit: unit, to: &output) }
    }
  }
}

private func append(unit: UInt16, to output: inout some JSONOutput) {
  output.append("\\u")
  for shift in [12, 8, 4, 0] as [UInt16] {
    let digit = UInt8(unit >> shift & 0xf)
    output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
  }
}

extension ByteWriter: JSONOutput {
  mutating func append(plain text: String) { append(text) }
}

extension JSONWriter {
  /// Appends a text as a JSON string, with its quotation marks, for lines that are written without a `JSONValue`.
  package static func write(quoting text: String, to output: inout ByteWriter) { quote(text, to: &output) }
}
