import UnixIPC

/// A text of a file fit for one line of a message: unprintable bytes escaped, at most 80 bytes shown.
func printable(_ text: String) -> String {
  let longest = 80
  // A path is never cut: whoever reads it wants to open the file.
  if text.hasPrefix("/") && text.utf8.count <= 4096 || text.utf8.count <= longest { return escaped(text.utf8) }
  return escaped(text.utf8.prefix(longest)) + "..."
}

/// A text as a message shows a value that it complains about.
func quoted(_ text: String) -> String { "\"\(printable(text))\"" }

/// A key with the tables around it, as TOML writes it: `service.hello."odd key"`.
func keyText(_ path: [String]) -> String {
  path.map { part in
    let isBare = !part.isEmpty && part.utf8.allSatisfy(isBareKeyByte)
    return isBare ? printable(part) : quoted(part)
  }.joined(separator: ".")
}

/// Letters, digits, `-` and `_`: what a TOML key needs no quotes for.
func isBareKeyByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
    true
  default: false
  }
}
