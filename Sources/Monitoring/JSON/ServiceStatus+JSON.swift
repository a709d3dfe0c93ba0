import JSON

private typealias Member = JSONValue.Member

extension ServiceStatus {
  var json: JSONValue {
    .object([
      Member("name", .string(name)), Member("state", .string(state.rawValue)),
      Member("remaining", .optional(remaining) { .seconds($0) }), Member("addresses", .array(addresses.map(\.json))),
      Member("active", .count(active)), Member("spares", .count(spares)),
      Member("limit", .optional(limit) { .count($0) }),
      Member("accepted", .count(accepted)), Member("ended", .count(ended)), Member("refused", Refused.json(refused)),
      Member("dropped-records", .count(droppedRecords)), Member("datagrams", .optional(datagrams, \.json)),
      Member("listeners", .array(listeners.map(\.json))), Member("standalone", .boolean(isStandalone)),
      Member("leaving", .boolean(isLeaving)),
      Member("confined", .optional(isConfined) { .boolean($0) }),
      Member("rates", rates.json), Member("history", .array(history.map { .count($0) })),
      Member("refused-history", .array(refusedHistory.map { .count($0) })), Member("durations", durations.json),
      Member("outcomes", .object(outcomes.map { Member($0.outcome, .count($0.count)) })),
      Member("bytes-received", .count(bytesReceived)), Member("bytes-sent", .count(bytesSent)),
    ])
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    name = try json.text("name")
    state = try json.word("state")
    remaining = try json.optional("remaining", json.seconds)
    addresses = try json.list("addresses", Address.init)
    active = try json.number("active")
    spares = try json.optional("spares") { (name) throws(AnswerProblem) in try json.number(name) } ?? 0
    limit = try json.optional("limit") { (name) throws(AnswerProblem) in try json.number(name) }
    accepted = try json.number("accepted")
    ended = try json.number("ended")
    refused = try json.counts("refused").map { Refused($0.name, $0.count) }
    droppedRecords = try json.number("dropped-records")
    datagrams = try json.optional("datagrams") { (name) throws(AnswerProblem) in
      try Datagrams(try json.required(name))
    }
    listeners = try json.list("listeners", ListenerStatus.init)
    isStandalone = try json.flag("standalone")
    isLeaving = try json.optional("leaving", json.flag) ?? false
    isConfined = try json.optional("confined", json.flag)
    rates = try Rates(try json.required("rates"))
    history = try json.numbers("history")
    refusedHistory = try json.numbers("refused-history")
    durations = try DurationHistogram(try json.required("durations"))
    outcomes = try json.counts("outcomes").map { OutcomeCount($0.name, $0.count) }
    bytesReceived = try json.number("bytes-received")
    bytesSent = try json.number("bytes-sent")
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
    refused = try json.counts("refused").map { ServiceStatus.Refused($0.name, $0.count) }
    ignored = try json.number("ignored")
  }
}
