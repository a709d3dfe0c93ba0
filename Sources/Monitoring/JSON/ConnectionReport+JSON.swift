import JSON

extension ConnectionStatus {
  public var json: JSONValue {
    .object([
      JSONValue.Member("id", .string(id.description)), JSONValue.Member("service", .string(id.service)),
      JSONValue.Member("generation", .count(id.generation)), JSONValue.Member("slot", .count(id.slot)),
      JSONValue.Member("peer", .optional(peer) { .string($0) }),
      JSONValue.Member("via", .optional(via) { .string($0) }),
      JSONValue.Member("name", .optional(name) { .string($0) }),
      JSONValue.Member("user", .optional(user) { .count($0) }),
      JSONValue.Member("pid", .count(process)), JSONValue.Member("listener", .count(listener)),
      JSONValue.Member("age", .seconds(age)), JSONValue.Member("received", .optional(received) { .count($0) }),
      JSONValue.Member("sent", .optional(sent) { .count($0) }),
      JSONValue.Member("waits-for", .optional(waiting) { .string($0.rawValue) }),
    ])
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    guard let id = ConnectionID(try json.text("id")) else { throw AnswerProblem(member: "id") }
    self.id = id
    peer = try json.optional("peer", json.text)
    via = try json.optional("via", json.text)
    name = try json.optional("name", json.text)
    user = try json.optional("user") { (name) throws(AnswerProblem) in try json.number(name) }
    process = try json.number("pid")
    listener = try json.number("listener")
    age = try json.seconds("age")
    received = try json.optional("received") { (name) throws(AnswerProblem) in try json.number(name) }
    sent = try json.optional("sent") { (name) throws(AnswerProblem) in try json.number(name) }
    waiting = try json.optional("waits-for") { (name) throws(AnswerProblem) in try json.word(name) }
  }
}

extension ConnectionReport {
  /// The members of its JSON object.
  public var members: [JSONValue.Member] {
    [
      JSONValue.Member("connections", .array(connections.map(\.json))),
      JSONValue.Member("omitted", .count(omitted)),
    ]
  }

  package init(_ json: JSONValue) throws(AnswerProblem) {
    connections = try json.list("connections", ConnectionStatus.init)
    omitted = try json.number("omitted")
  }
}
