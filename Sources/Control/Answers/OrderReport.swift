import JSON

/// The answer to an order: `drain`, `resume`, `end`, `deny`, `allow`, `upgrade` and `stop`.
public struct OrderReport: Hashable, Sendable {
  /// One line for people: what was done.
  public var message: String
  /// How many services, connections or denials it concerned.
  public var count: Int
  /// Lines about what could not be done, while the rest was; then the command's exit status is 1.
  public var problems: [String]

  public init(_ message: String, count: Int, problems: [String] = []) {
    self.message = message
    self.count = count
    self.problems = problems
  }
}

extension OrderReport {
  var members: [JSONValue.Member] {
    [
      JSONValue.Member("message", .string(message)), JSONValue.Member("count", .count(count)),
      JSONValue.Member("problems", .texts(problems)),
    ]
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    message = try json.text("message")
    count = try json.number("count")
    problems = try json.texts("problems")
  }
}
