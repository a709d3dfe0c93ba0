/// Why a JSON value is not the report or answer that was expected.
public struct AnswerProblem: Error, Hashable {
  /// The member that is missing or is of another kind.
  public let member: String

  @inlinable public init(member: String) { self.member = member }
}

/// Members of an object, by name and kind.  Those that a reader does not ask for are ignored: a newer begatd may have more.
extension JSONValue {
  @inlinable public func required(_ name: String) throws(AnswerProblem) -> JSONValue {
    guard let value = self[name] else { throw AnswerProblem(member: name) }
    return value
  }

  @inlinable public func text(_ name: String) throws(AnswerProblem) -> String {
    guard let text = try required(name).string else { throw AnswerProblem(member: name) }
    return text
  }

  @inlinable public func flag(_ name: String) throws(AnswerProblem) -> Bool {
    guard let value = try required(name).boolean else { throw AnswerProblem(member: name) }
    return value
  }

  @inlinable public func number<Number: FixedWidthInteger>(_ name: String, as type: Number.Type = Number.self)
    throws(AnswerProblem)
    -> Number
  {
    guard let number = try required(name).integer.flatMap({ Number(exactly: $0) }) else {
      throw AnswerProblem(member: name)
    }
    return number
  }

  @inlinable public func seconds(_ name: String) throws(AnswerProblem) -> Duration {
    guard let duration = try required(name).seconds else { throw AnswerProblem(member: name) }
    return duration
  }

  @inlinable public func word<Word: RawRepresentable>(_ name: String, as type: Word.Type = Word.self)
    throws(AnswerProblem)
    -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: try text(name)) else { throw AnswerProblem(member: name) }
    return word
  }

  /// The member's value, read by `read`; nil where the member is missing or null.
  @inlinable public func optional<Value>(_ name: String, _ read: (String) throws(AnswerProblem) -> Value)
    throws(AnswerProblem)
    -> Value?
  {
    guard let value = self[name], value != .null else { return nil }
    return try read(name)
  }

  @inlinable public func list<Element>(_ name: String, _ read: (JSONValue) throws(AnswerProblem) -> Element)
    throws(AnswerProblem)
    -> [Element]
  {
    guard let elements = try required(name).array else { throw AnswerProblem(member: name) }
    var result: [Element] = []
    result.reserveCapacity(elements.count)
    for element in elements { result.append(try read(element)) }
    return result
  }

  @inlinable public func texts(_ name: String) throws(AnswerProblem) -> [String] {
    try list(name) { (element) throws(AnswerProblem) in
      guard let text = element.string else { throw AnswerProblem(member: name) }
      return text
    }
  }

  /// A number with or without a fraction.
  @inlinable public func decimal(_ name: String) throws(AnswerProblem) -> Double {
    switch try required(name) {
    case .integer(let value): return Double(value)
    case .number(let value): return value
    default: throw AnswerProblem(member: name)
    }
  }

  @inlinable public func numbers<Number: FixedWidthInteger>(_ name: String) throws(AnswerProblem) -> [Number] {
    try list(name) { (element) throws(AnswerProblem) in
      guard let number = element.integer.flatMap({ Number(exactly: $0) }) else { throw AnswerProblem(member: name) }
      return number
    }
  }

  /// An object of counts by name.
  @inlinable public func counts(_ name: String) throws(AnswerProblem) -> [(name: String, count: UInt64)] {
    guard case .object(let members) = try required(name) else { throw AnswerProblem(member: name) }
    var result: [(name: String, count: UInt64)] = []
    for member in members {
      guard let count = member.value.integer.flatMap({ UInt64(exactly: $0) }) else {
        throw AnswerProblem(member: member.name)
      }
      result.append((member.name, count))
    }
    return result
  }
}
