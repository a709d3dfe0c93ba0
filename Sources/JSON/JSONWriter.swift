/// Writes JSON on one line, in printable ASCII: no text that a client chose can disturb a terminal.
///
/// Source: RFC 8259.
public struct JSONWriter {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func append(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  public mutating func append(_ value: JSONValue) {
    switch value {
    case .null: append("null")
    case .boolean(true): append("true")
    case .boolean(false): append("false")
    case .integer(let number): bytes.append(contentsOf: String(number).utf8)
    case .number(let number): if number.isFinite { bytes.append(contentsOf: "\(number)".utf8) } else { append("null") }
    case .string(let text): append(quoting: text)
    case .array(let elements):
      append("[")
      var isFirst = true
      for element in elements {
        if !isFirst { append(",") }
        isFirst = false
        append(element)
      }
      append("]")
    case .object(let members):
      append("{")
      append(members)
      append("}")
    }
  }

  /// Takes back what was written from this byte on.
  public mutating func removeAll(from count: Int) { bytes.removeSubrange(count...) }

  /// Members without the braces around them.
  public mutating func append(_ members: [JSONValue.Member]) {
    var isFirst = true
    for member in members {
      if !isFirst { append(",") }
      isFirst = false
      append(quoting: member.name)
      append(":")
      append(member.value)
    }
  }

  private mutating func append(quoting text: String) { quote(text, to: &self) }
}

extension JSONWriter: JSONOutput {
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  mutating func append(plain text: String) { bytes.append(contentsOf: text.utf8) }
}

extension JSONValue {
  /// The value on one line, without the line's end.
  public var text: String {
    var writer = JSONWriter()
    writer.append(self)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
