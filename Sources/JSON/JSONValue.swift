/// A JSON value.  The members of an object keep their order.
///
/// Source: RFC 8259.
public indirect enum JSONValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  /// A number without fraction and exponent that fits.
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A member of an object.
  public struct Member: Hashable, Sendable {
    public let name: String
    public let value: JSONValue

    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The member of this name; nil if there is none or the value is no object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  public var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  public var boolean: Bool? {
    if case .boolean(let value) = self { return value }
    return nil
  }

  public var integer: Int64? {
    if case .integer(let value) = self { return value }
    return nil
  }

  public var array: [JSONValue]? {
    if case .array(let elements) = self { return elements }
    return nil
  }

  /// A number of seconds, from 0 to 10 years.
  public var seconds: Duration? {
    switch self {
    case .integer(let value) where (0...JSONValue.maxSeconds).contains(value): .seconds(value)
    case .number(let value) where value >= 0 && value <= Double(JSONValue.maxSeconds):
      .milliseconds(Int64((value * 1000).rounded()))
    default: nil
    }
  }

  private static let maxSeconds: Int64 = 315_360_000

  /// A duration as a number of seconds, to the millisecond.
  public static func seconds(_ duration: Duration) -> JSONValue {
    let (seconds, attoseconds) = duration.components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    return milliseconds == 0 ? .integer(seconds) : .number(Double(seconds) + Double(milliseconds) / 1000)
  }

  /// A count; the largest that JSON's readers keep exactly is 2^53.
  public static func count(_ value: some BinaryInteger) -> JSONValue { .integer(Int64(clamping: value)) }

  /// The value, or null where there is none.
  public static func optional<Value>(_ value: Value?, _ make: (Value) -> JSONValue) -> JSONValue {
    value.map(make) ?? .null
  }

  /// The kind of value, as messages name it.
  public var kind: String {
    switch self {
    case .null: "null"
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// The members of an object, in the order in which they are written.
extension JSONValue: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral members: (String, JSONValue)...) {
    self = .object(members.map { Member($0.0, $0.1) })
  }
}
