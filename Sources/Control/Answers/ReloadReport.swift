import JSON

/// The answer to `reload`: the difference between the configuration that was in force and the new one.
public struct ReloadReport: Hashable, Sendable {
  /// A service that has a fresh listener, and why.
  public struct Change: Hashable, Sendable {
    public var service: String
    /// Keys of the configuration, or inputs such as `time zone`, in which it differs.
    public var reasons: [String]

    public init(_ service: String, _ reasons: [String]) {
      self.service = service
      self.reasons = reasons
    }
  }

  /// Whether it would be so, and nothing was done.
  public var isDryRun: Bool
  public var added: [String] = []
  public var changed: [Change] = []
  public var removed: [String] = []
  /// How many services are as before.
  public var unchanged: Int
  /// Keys of `[daemon]` that are in force from now on.
  public var daemonKeys: [String] = []
  /// Keys of `[daemon]` that have changed and take effect at the next start only.
  public var needingRestart: [String] = []
  /// Settings that are allowed and probably not intended.
  public var warnings: [String] = []

  public init(isDryRun: Bool, unchanged: Int) {
    self.isDryRun = isDryRun
    self.unchanged = unchanged
  }
}

extension ReloadReport {
  var members: [JSONValue.Member] {
    [
      JSONValue.Member("dry-run", .boolean(isDryRun)), JSONValue.Member("added", .texts(added)),
      JSONValue.Member("changed", .array(changed.map(\.json))), JSONValue.Member("removed", .texts(removed)),
      JSONValue.Member("unchanged", .count(unchanged)), JSONValue.Member("daemon-keys", .texts(daemonKeys)),
      JSONValue.Member("needs-restart", .texts(needingRestart)), JSONValue.Member("warnings", .texts(warnings)),
    ]
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    isDryRun = try json.flag("dry-run")
    added = try json.texts("added")
    changed = try json.list("changed", Change.init)
    removed = try json.texts("removed")
    unchanged = try json.number("unchanged")
    daemonKeys = try json.texts("daemon-keys")
    needingRestart = try json.texts("needs-restart")
    warnings = try json.texts("warnings")
  }
}

extension ReloadReport.Change {
  fileprivate var json: JSONValue {
    .object([JSONValue.Member("service", .string(service)), JSONValue.Member("reasons", .texts(reasons))])
  }

  fileprivate init(_ json: JSONValue) throws(AnswerProblem) {
    service = try json.text("service")
    reasons = try json.texts("reasons")
  }
}

extension JSONValue {
  static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}
