import JSON

private typealias Member = JSONValue.Member

extension ListenerStatus {
  var json: JSONValue {
    .object([
      Member("pid", .count(process)), Member("generation", .count(generation)), Member("role", .string(role.rawValue)),
      Member("age", .seconds(age)), Member("active", .count(active)),
    ])
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    process = try json.number("pid")
    generation = try json.number("generation")
    role = try json.word("role")
    age = try json.seconds("age")
    active = try json.number("active")
  }
}
