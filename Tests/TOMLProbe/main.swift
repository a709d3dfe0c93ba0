// What the parser makes of many documents, for comparisons with other parsers.
//
// Reads documents from standard input, each after its length (four bytes, most significant first); writes a line for
// each: its values in the form of `canonical`, or `error LINE COLUMN MESSAGE`.

import Glibc
import TOML

/// Exactly so many bytes, or nil at the end.
func readBytes(_ count: Int) -> [UInt8]? {
  var bytes = [UInt8](repeating: 0, count: count)
  var filled = 0
  while filled < count {
    let result = bytes.withUnsafeMutableBytes { read(0, $0.baseAddress! + filled, count - filled) }
    guard result > 0 else { return nil }
    filled += result
  }
  return bytes
}

func answer(_ document: [UInt8]) -> String {
  do throws(TOMLError) {
    return canonical(try TOMLParser.parse(document))
  } catch {
    return "error \(error.position.line) \(error.position.column) \(error.message)"
  }
}

while let length = readBytes(4) {
  guard let document = readBytes(length.reduce(0) { $0 << 8 | Int($1) }) else { exit(1) }
  print(answer(document))
}
