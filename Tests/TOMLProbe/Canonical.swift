import TOML

/// Values in one line of ASCII, so that equal values of different parsers are equal lines.
func canonical(_ table: TOMLTable) -> String {
  "{" + table.entries.map { canonical($0.key.name) + "=" + canonical($0.value) }.joined(separator: ",") + "}"
}

func canonical(_ value: TOMLValue) -> String {
  switch value.content {
  case .string(let text): canonical(text)
  case .integer(let number): String(number)
  case .float(let number): number.isNaN ? "nan" : "f" + String(number.bitPattern, radix: 16)
  case .boolean(let truth): String(truth)
  case .date(let date): canonical(date)
  case .array(let values): "[" + values.map(canonical).joined(separator: ",") + "]"
  case .table(let table): canonical(table)
  }
}

/// The text in quotes; bytes other than letters and digits of ASCII as two hexadecimal digits after a percent sign.
private func canonical(_ text: String) -> String {
  var shown = "\""
  for byte in text.utf8 {
    let scalar = Unicode.Scalar(byte)
    if scalar.isASCII, scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
      shown.unicodeScalars.append(scalar)
    } else {
      shown += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
  return shown + "\""
}

/// The date with `T` and `Z` and six digits of fraction.
private func canonical(_ date: TOMLDate) -> String {
  guard date.kind != .localDate else { return date.text }
  var text = date.text.uppercased().map { $0 == " " ? "T" : $0 }
  var offset = ""
  if date.kind == .offsetDateTime {
    let length = text.last == "Z" ? 1 : 6
    offset = String(text.suffix(length))
    text.removeLast(length)
    if ["+00:00", "-00:00"].contains(offset) { offset = "Z" }
  }
  let parts = String(text).split(separator: ".")
  let fraction = parts.count > 1 ? String(parts[1].prefix(6)) : ""
  return parts[0] + "." + fraction + String(repeating: "0", count: 6 - fraction.count) + offset
}
