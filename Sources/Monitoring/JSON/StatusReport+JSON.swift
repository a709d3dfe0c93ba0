import JSON

private typealias Member = JSONValue.Member

extension StatusReport {
  /// The members of its JSON object.
  public var members: [JSONValue.Member] {
    [
      Member("begatd", .optional(daemon, \.json)), Member("services", .array(services.map(\.json))),
      Member("denials", .array(denials.map(\.json))), Member("omitted-denials", .count(omittedDenials)),
    ]
  }

  package init(_ json: JSONValue) throws(AnswerProblem) {
    daemon = try json.optional("begatd") { (name) throws(AnswerProblem) in try DaemonStatus(try json.required(name)) }
    services = try json.list("services", ServiceStatus.init)
    denials = try json.list("denials", Denial.init)
    omittedDenials =
      try json.optional("omitted-denials") { (name) throws(AnswerProblem) in try json.number(name) } ?? 0
  }
}

extension Denial {
  fileprivate var json: JSONValue {
    .object([
      Member("network", .string(network)), Member("service", .optional(service) { .string($0) }),
      Member("remaining", .optional(remaining) { .seconds($0) }),
    ])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    network = try json.text("network")
    service = try json.optional("service", json.text)
    remaining = try json.optional("remaining", json.seconds)
  }
}
