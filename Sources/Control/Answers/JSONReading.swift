import JSON

/// Reading answers: members that this version does not know are ignored, as a newer begatd may have more.
struct AnswerProblem: Error, Hashable {
  /// The member that is missing or is of another kind.
  let member: String
}

extension JSONValue {
  func required(_ name: String) throws(AnswerProblem) -> JSONValue {
    guard let value = self[name] else { throw AnswerProblem(member: name) }
    return value
  }

  func text(_ name: String) throws(AnswerProblem) -> String {
    guard let text = try required(name).string else { throw AnswerProblem(member: name) }
    return text
  }

  func flag(_ name: String) throws(AnswerProblem) -> Bool {
    guard let value = try required(name).boolean else { throw AnswerProblem(member: name) }
    return value
  }

  func number<Number: FixedWidthInteger>(_ name: String, as type: Number.Type = Number.self) throws(AnswerProblem)
    -> Number
  {
    guard let number = try required(name).integer.flatMap({ Number(exactly: $0) }) else {
      throw AnswerProblem(member: name)
    }
    return number
  }

  func seconds(_ name: String) throws(AnswerProblem) -> Duration {
    guard let duration = try required(name).seconds else { throw AnswerProblem(member: name) }
    return duration
  }

  func word<Word: RawRepresentable>(_ name: String, as type: Word.Type = Word.self) throws(AnswerProblem) -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: try text(name)) else { throw AnswerProblem(member: name) }
    return word
  }

  /// The member's value, read by `read`; nil where the member is missing or null.
  func optional<Value>(_ name: String, _ read: (String) throws(AnswerProblem) -> Value) throws(AnswerProblem) -> Value?
  {
    guard let value = self[name], value != .null else { return nil }
    return try read(name)
  }

  func list<Element>(_ name: String, _ read: (JSONValue) throws(AnswerProblem) -> Element) throws(AnswerProblem)
    -> [Element]
  {
    guard let elements = try required(name).array else { throw AnswerProblem(member: name) }
    var result: [Element] = []
    result.reserveCapacity(elements.count)
    for element in elements { result.append(try read(element)) }
    return result
  }

  func texts(_ name: String) throws(AnswerProblem) -> [String] {
    try list(name) { (element) throws(AnswerProblem) in
      guard let text = element.string else { throw AnswerProblem(member: name) }
      return text
    }
  }
}
