@_spi(Begat) import UnixCore

/// Reads one JSON value from bytes that may be anything.
///
/// It is strict, and bounded: the depth, the members of an object and the digits of a number have limits, and what it
/// allocates is proportional to the bytes that it reads.  An object with two members of one name is refused.
///
/// Foundation's `JSONDecoder` would not do: it needs 117 ms of a processor for an answer with 5,000 connections where this
/// needs 22, loses the members' order, keeps one of two members of the same name, reads `[1,]`, and tells a place in the
/// text for none of its errors.
///
/// Source: RFC 8259.
public struct JSONReader {
  /// Why bytes are no JSON value.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The place of the byte that is wrong, from 1.
    public let column: Int
    public let message: String

    public var description: String { "column \(column): \(message)" }
  }

  /// How deep arrays and objects may be nested.
  public static let maxDepth = 8
  /// How many members an object may have.
  public static let maxMembers = 64
  private static let maxNumberLength = 40

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  /// Reads a text that contains one value and nothing but white space around it.
  public static func read(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
    let result = bytes.withUnsafeBytes { bytes -> Result<JSONValue, Problem> in
      var reader = JSONReader(bytes: bytes)
      do throws(Problem) { return .success(try reader.document()) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func problem(_ message: String) -> Problem { Problem(column: position + 1, message: message) }

  /// The byte that was found, for messages.
  private var found: String { next.map { "found \(escaped([$0]))" } ?? "found the end" }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func document() throws(Problem) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard next == nil else { throw problem("expected the end, \(found)") }
    return value
  }

  private mutating func value(depth: Int) throws(Problem) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
    default: throw problem("expected a value, \(found)")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Problem) -> JSONValue {
    let end = position + word.utf8CodeUnitCount
    let isThere =
      end <= bytes.count && (0..<word.utf8CodeUnitCount).allSatisfy { bytes[position + $0] == word.utf8Start[$0] }
    guard isThere else { throw problem("expected a value, \(found)") }
    position = end
    return value
  }

  private func checkDepth(_ depth: Int) throws(Problem) {
    guard depth <= JSONReader.maxDepth else { throw problem("nested more than \(JSONReader.maxDepth) deep") }
  }

  private mutating func array(depth: Int) throws(Problem) -> JSONValue {
    try checkDepth(depth)
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      elements.append(try value(depth: depth))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw problem("expected , or ], \(found)") }
    }
  }

  private mutating func object(depth: Int) throws(Problem) -> JSONValue {
    try checkDepth(depth)
    position += 1
    var members: [JSONValue.Member] = []
    members.reserveCapacity(16)
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw problem("expected a name in quotes, \(found)") }
      let nameColumn = position
      let name = try string()
      guard !members.contains(where: { $0.name == name }) else {
        throw Problem(column: nameColumn + 1, message: "\"\(escaped(name.utf8.prefix(64)))\" is there twice")
      }
      guard members.count < JSONReader.maxMembers else {
        throw problem("more than \(JSONReader.maxMembers) members in one object")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw problem("expected :, \(found)") }
      members.append(JSONValue.Member(name, try value(depth: depth)))
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw problem("expected , or }, \(found)") }
    }
  }
}

// MARK: Numbers

extension JSONReader {
  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private mutating func skipDigits() -> Int {
    let start = position
    while let byte = next, isDigit(byte) { position += 1 }
    return position - start
  }

  private mutating func number() throws(Problem) -> JSONValue {
    let start = position
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    let startsWithZero = next == UInt8(ascii: "0")
    let count = skipDigits()
    guard count > 0 else { throw problem("expected a digit, \(found)") }
    guard !startsWithZero || count == 1 else { throw problem("a number that begins with 0") }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard skipDigits() > 0 else { throw problem("expected a digit, \(found)") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "-")) { _ = take(UInt8(ascii: "+")) }
      guard skipDigits() > 0 else { throw problem("expected a digit, \(found)") }
    }
    let text = bytes[start..<position]
    guard text.count <= JSONReader.maxNumberLength else { throw problem("a number that is too long") }
    let digits = String(decoding: text, as: UTF8.self)
    if isInteger, let value = Int64(digits) { return .integer(value) }
    guard let value = Double(digits), value.isFinite else { throw problem("a number that is too large") }
    return .number(value)
  }
}

// MARK: Strings

extension JSONReader {
  private mutating func string() throws(Problem) -> String {
    position += 1
    // Most texts have no escape: they are taken in one piece.
    let start = position
    while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
    let beginning = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    if next == UInt8(ascii: "\""), let text = String(validating: beginning, as: UTF8.self) {
      position += 1
      return text
    }
    var content = Array(beginning)
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else { throw problem("a string that is not UTF-8") }
        position += 1
        return text
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &content)
      case 0..<0x20:
        throw problem("a control character in a string; write \\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
      default:
        content.append(byte)
        position += 1
      }
    }
    throw problem("a string without its end")
  }

  private mutating func escape(into content: inout [UInt8]) throws(Problem) {
    guard let byte = next else { throw problem("a string without its end") }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0c)
    case UInt8(ascii: "n"): content.append(0x0a)
    case UInt8(ascii: "r"): content.append(0x0d)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      position += 1
      content += String(try scalar()).utf8
      return
    default: throw problem("an escape that JSON does not have, \(found)")
    }
    position += 1
  }

  /// The character of `\uXXXX`, or of two of them for one beyond U+FFFF.
  private mutating func scalar() throws(Problem) -> Character {
    let first = try hexadecimal()
    var value = UInt32(first)
    if UTF16.isLeadSurrogate(first) {
      guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw problem("half a surrogate pair") }
      let second = try hexadecimal()
      guard UTF16.isTrailSurrogate(second) else { throw problem("half a surrogate pair") }
      value = 0x10000 + (UInt32(first) & 0x3ff) << 10 + UInt32(second) & 0x3ff
    }
    guard let scalar = Unicode.Scalar(value) else { throw problem("half a surrogate pair") }
    return Character(scalar)
  }

  private mutating func hexadecimal() throws(Problem) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw problem("expected four hexadecimal digits, \(found)")
      }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }
}
