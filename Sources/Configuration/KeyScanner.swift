/// Finds the line of every key of a TOML text, and of every element of an array, since the parser forgets them, and
/// what would harm the parser.
///
/// Runs before the parser and agrees with it up to the first syntax error, where the parser ends; what it makes of the
/// rest does not matter.  So nothing nested deeper than it allows is ever built.
struct KeyScanner {
  /// Why a text must not reach the parser.
  struct Hazard: Hashable {
    let line: Int
    let column: Int
    let message: String
    /// Where the table header or top-level entry begins that has it.
    let offset: Int
  }

  /// Tables and arrays inside one another; the parser's own destructor recurses.
  static let deepest = 12

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0
  private var statementStart = 0
  private(set) var lines: [[String]: Int] = [:]
  /// Of the elements of arrays that are values of keys.
  private(set) var elementLines: [[String]: [Int]] = [:]
  private(set) var hazard: Hazard?

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var table: [String] = []
    while hazard == nil, let byte = skipBlanks() {
      statementStart = position
      if byte == UInt8(ascii: "[") { table = header() } else { entry(in: table, nesting: 0) }
    }
  }

  // MARK: - Bytes

  private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func advance() {
    guard position < bytes.count else { return }
    position += 1
    guard bytes[position - 1] == UInt8(ascii: "\n") else { return }
    line += 1
    lineStart = position
  }

  private mutating func take(_ wanted: Character) -> Bool {
    guard byte == wanted.asciiValue else { return false }
    advance()
    return true
  }

  private mutating func skipSpaces() {
    while byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
  }

  private mutating func skipLine() {
    while let byte, byte != UInt8(ascii: "\n") { advance() }
  }

  /// Passes white space, line ends and comments; the byte after them.
  private mutating func skipBlanks() -> UInt8? {
    while let byte {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
      case UInt8(ascii: "#"): skipLine()
      default: return byte
      }
    }
    return nil
  }

  // MARK: - Tables, keys and values

  private mutating func record(_ path: [String], from first: Int, at line: Int) {
    guard isShallow(path.count), first < path.count else { return }
    for length in first + 1...path.count {
      let key = Array(path.prefix(length))
      if lines[key] == nil { lines[key] = line }
    }
  }

  private mutating func isShallow(_ depth: Int) -> Bool {
    if depth > KeyScanner.deepest { refuse("nested too deeply") }
    return hazard == nil
  }

  private mutating func refuse(_ message: String) {
    guard hazard == nil else { return }
    // Characters, as the parser counts columns.
    let column = bytes[lineStart..<position].count { $0 & 0xc0 != 0x80 } + 1
    hazard = Hazard(line: line, column: column, message: message, offset: statementStart)
  }

  /// `[a.b]` or `[[a.b]]`.
  private mutating func header() -> [String] {
    advance()
    skipSpaces()
    if take("[") { skipSpaces() }
    // toml++ 3.4 ends the process by an assertion when anything but a key stands here.
    if let byte, !isBareKeyByte(byte), !"]\"'".utf8.contains(byte) { refuse("syntax error: expected a table's name") }
    let start = line
    let path = keyPath()
    record(path, from: 0, at: start)
    skipLine()
    return path
  }

  /// `a.b = value`.
  private mutating func entry(in table: [String], nesting: Int) {
    let start = line
    let key = keyPath()
    guard !key.isEmpty, take("=") else { return skipLine() }
    record(table + key, from: table.count, at: start)
    value(of: table + key, nesting: nesting)
  }

  private mutating func keyPath() -> [String] {
    var path: [String] = []
    repeat {
      skipSpaces()
      guard let part = keyPart() else { break }
      path.append(part)
      skipSpaces()
    } while isShallow(path.count) && take(".")
    return path
  }

  private mutating func keyPart() -> String? {
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return string() }
    let start = position
    while let byte, isBareKeyByte(byte) { advance() }
    return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// - Parameter nesting: of arrays and inline tables, which the path does not count.
  private mutating func value(of path: [String], nesting: Int) {
    skipSpaces()
    guard let byte, isShallow(path.count + nesting) else { return }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = string()
    case UInt8(ascii: "["): array(of: path, nesting: nesting)
    case UInt8(ascii: "{"): elements(until: "}") { $0.entry(in: path, nesting: nesting + 1) }
    case _ where isScalarByte(byte): scalar()
    // The same in an array; after a key the parser says so itself.
    default: refuse("syntax error: expected a value; text stands in quotes")
    }
  }

  private mutating func array(of path: [String], nesting: Int) {
    let isOutermost = elementLines[path] == nil
    if isOutermost { elementLines[path] = [] }
    elements(until: "]") { scanner in
      if isOutermost { scanner.elementLines[path]?.append(scanner.line) }
      scanner.value(of: path, nesting: nesting + 1)
    }
  }

  private mutating func elements(until end: Character, _ element: (inout KeyScanner) -> Void) {
    advance()
    while hazard == nil, skipBlanks() != nil, !take(end) {
      let start = position
      if !take(",") { element(&self) }
      if position == start { advance() }
    }
  }

  /// A number, a date, a boolean.
  ///
  /// toml++ asserts again on the way to many a malformed date or time.  No key takes one, so none gets there.
  private mutating func scalar() {
    let start = position
    while let byte, isScalarByte(byte) { advance() }
    let text = bytes[start..<position]
    let isNumber = text.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    let hasExponent = text.contains(UInt8(ascii: "e")) || text.contains(UInt8(ascii: "E"))
    if text.contains(UInt8(ascii: ":")) || isNumber && !hasExponent && text.contains(UInt8(ascii: "-")) {
      refuse("syntax error: expected a value; text stands in quotes, and no key takes a date or a time")
    }
    skipSpaces()
    if let byte, !",]}#\r\n".utf8.contains(byte) { refuse("syntax error: expected the end of the value") }
  }

  private func isScalarByte(_ byte: UInt8) -> Bool { isBareKeyByte(byte) || "+.:".utf8.contains(byte) }

  // MARK: - Strings

  /// Passes a string of any of TOML's four kinds; its content, escapes resolved.
  private mutating func string() -> String {
    guard let quote = byte else { return "" }
    let isBasic = quote == UInt8(ascii: "\"")
    let isLong = position + 2 < bytes.count && bytes[position + 1] == quote && bytes[position + 2] == quote
    for _ in 0..<(isLong ? 3 : 1) { advance() }
    var content: [UInt8] = []
    while let byte, isLong || byte != UInt8(ascii: "\n") {
      advance()
      if byte == quote {
        guard isLong else { break }
        // Two more quotes end the string, unless there are even more: then these are part of it.
        if bytes[position...].prefix(2) == [quote, quote] {
          for _ in 0..<4 where self.byte == quote { advance() }
          break
        }
        content.append(byte)
      } else if isBasic, byte == UInt8(ascii: "\\") {
        content += escape()
      } else {
        content.append(byte)
      }
    }
    return String(decoding: content, as: UTF8.self)
  }

  /// What an escape stands for, after its backslash.
  private mutating func escape() -> [UInt8] {
    guard let byte else { return [] }
    advance()
    switch byte {
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "u"): return unicode(digits: 4)
    case UInt8(ascii: "U"): return unicode(digits: 8)
    default: return [byte]
    }
  }

  private mutating func unicode(digits: Int) -> [UInt8] {
    let text = String(decoding: bytes[position...].prefix(digits), as: UTF8.self)
    guard text.utf8.count == digits, let number = UInt32(text, radix: 16), let scalar = Unicode.Scalar(number) else {
      return []
    }
    for _ in 0..<digits { advance() }
    // The parser's Swift face ends strings at a NUL: "nobody\u0000x" would pass for "nobody".
    if number == 0 { refuse("a NUL in a string") }
    return Array(Character(scalar).utf8)
  }
}
