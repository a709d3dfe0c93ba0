import JSON

private typealias Member = JSONValue.Member

extension DaemonStatus {
  var json: JSONValue {
    .object([
      Member("version", .string(version)), Member("pid", .count(process)), Member("state", .string(state.rawValue)),
      Member("age", .seconds(age)), Member("configuration", .string(configuration)),
      Member("reload-age", .optional(reloadAge) { .seconds($0) }), Member("reloads", reloads.json),
      Member("lost-log-messages", .count(lostLogMessages)),
      Member("sandbox-gaps", .array(sandboxGaps.map { .string($0) })),
    ])
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    version = try json.text("version")
    process = try json.number("pid")
    state = try json.word("state")
    age = try json.seconds("age")
    configuration = try json.text("configuration")
    reloadAge = try json.optional("reload-age", json.seconds)
    reloads = try ReloadCounts(try json.required("reloads"))
    lostLogMessages = try json.number("lost-log-messages")
    sandboxGaps = try json.texts("sandbox-gaps")
  }
}

extension ReloadCounts {
  fileprivate var json: JSONValue {
    .object([
      Member("succeeded", .count(succeeded)), Member("refused", .count(refused)),
      Member("last-succeeded", .optional(lastSucceeded) { .boolean($0) }),
      Member("last-age", .optional(lastAge) { .seconds($0) }),
    ])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    succeeded = try json.number("succeeded")
    refused = try json.number("refused")
    lastSucceeded = try json.optional("last-succeeded", json.flag)
    lastAge = try json.optional("last-age", json.seconds)
  }
}
