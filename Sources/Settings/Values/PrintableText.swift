@_spi(Begat) import UnixCore

/// A text of a file fit for one line of a message: unprintable bytes escaped, at most 80 bytes shown.
public func printable(_ text: String) -> String {
  let longest = 80
  // A path is never cut: its reader wants to open the file.
  if text.hasPrefix("/") && text.utf8.count <= 4096 || text.utf8.count <= longest { return escaped(text.utf8) }
  return escaped(text.utf8.prefix(longest)) + "..."
}

/// A text as a message shows a value that it complains about.
public func quoted(_ text: String) -> String { "\"\(printable(text))\"" }

/// A key with the tables around it, as TOML writes it: `service.hello."odd key"`.
public func keyText(_ path: [String]) -> String {
  path.map { part in
    let isBare = !part.isEmpty && part.utf8.allSatisfy(isServiceNameByte)
    return isBare ? printable(part) : quoted(part)
  }.joined(separator: ".")
}
