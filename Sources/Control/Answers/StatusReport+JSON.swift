import JSON

private typealias Member = JSONValue.Member

extension StatusReport {
  var members: [JSONValue.Member] {
    [
      Member("begatd", daemon.json), Member("services", .array(services.map(\.json))),
      Member("denials", .array(denials.map(\.json))),
    ]
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    daemon = try DaemonStatus(try json.required("begatd"))
    services = try json.list("services", ServiceStatus.init)
    denials = try json.list("denials", Denial.init)
  }
}

extension DaemonStatus {
  fileprivate var json: JSONValue {
    .object([
      Member("version", .string(version)), Member("pid", .count(process)), Member("state", .string(state.rawValue)),
      Member("age", .seconds(age)), Member("configuration", .string(configuration)),
      Member("reload-age", .optional(reloadAge) { .seconds($0) }),
    ])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    version = try json.text("version")
    process = try json.number("pid")
    state = try json.word("state")
    age = try json.seconds("age")
    configuration = try json.text("configuration")
    reloadAge = try json.optional("reload-age", json.seconds)
  }
}

extension ServiceStatus {
  fileprivate var json: JSONValue {
    .object([
      Member("name", .string(name)), Member("state", .string(state.rawValue)),
      Member("remaining", .optional(remaining) { .seconds($0) }), Member("addresses", .array(addresses.map(\.json))),
      Member("active", .count(active)), Member("limit", .optional(limit) { .count($0) }),
      Member("accepted", .count(accepted)), Member("ended", .count(ended)), Member("refused", Refused.json(refused)),
      Member("dropped-records", .count(droppedRecords)), Member("datagrams", .optional(datagrams, \.json)),
      Member("listeners", .array(listeners.map(\.json))),
    ])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    name = try json.text("name")
    state = try json.word("state")
    remaining = try json.optional("remaining", json.seconds)
    addresses = try json.list("addresses", Address.init)
    active = try json.number("active")
    limit = try json.optional("limit") { (name) throws(AnswerProblem) in try json.number(name) }
    accepted = try json.number("accepted")
    ended = try json.number("ended")
    refused = try Refused.list(try json.required("refused"))
    droppedRecords = try json.number("dropped-records")
    datagrams = try json.optional("datagrams") { (name) throws(AnswerProblem) in
      try Datagrams(try json.required(name))
    }
    listeners = try json.list("listeners", ListenerStatus.init)
  }
}

extension ServiceStatus.Address {
  fileprivate var json: JSONValue {
    .object([Member("address", .string(text)), Member("kind", .string(isDatagram ? "datagram" : "stream"))])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    text = try json.text("address")
    isDatagram = try json.text("kind") == "datagram"
  }
}

extension ServiceStatus.Refused {
  /// An object of counts by reason.
  fileprivate static func json(_ refused: [ServiceStatus.Refused]) -> JSONValue {
    .object(refused.map { Member($0.reason, .count($0.count)) })
  }

  fileprivate static func list(_ json: JSONValue) throws(AnswerProblem) -> [ServiceStatus.Refused] {
    guard case .object(let members) = json else { throw AnswerProblem(member: "refused") }
    var result: [ServiceStatus.Refused] = []
    for member in members { result.append(ServiceStatus.Refused(member.name, try json.number(member.name))) }
    return result
  }
}

extension ServiceStatus.Datagrams {
  fileprivate var json: JSONValue {
    .object([
      Member("answered", .count(answered)), Member("refused", ServiceStatus.Refused.json(refused)),
      Member("ignored", .count(ignored)),
    ])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    answered = try json.number("answered")
    refused = try ServiceStatus.Refused.list(try json.required("refused"))
    ignored = try json.number("ignored")
  }
}

extension ListenerStatus {
  fileprivate var json: JSONValue {
    .object([
      Member("pid", .count(process)), Member("generation", .count(generation)), Member("role", .string(role.rawValue)),
      Member("age", .seconds(age)), Member("active", .count(active)),
    ])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    process = try json.number("pid")
    generation = try json.number("generation")
    role = try json.word("role")
    age = try json.seconds("age")
    active = try json.number("active")
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
