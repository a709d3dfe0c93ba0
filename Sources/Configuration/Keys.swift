/// The keys of one table: those that this version reads, and those of the design that it does not know yet.
///
/// Readers switch over the cases, so that a key without a reader does not compile, and suggestions come from the cases.
protocol TableKey: RawRepresentable, CaseIterable where RawValue == String {
  static var later: Set<String> { get }
}

extension TableKey {
  static var later: Set<String> { [] }

  /// The key of a setting; throws when this version has none of that name.
  init(of setting: Setting) throws(ConfigurationProblem) {
    if let key = Self(rawValue: setting.name) {
      self = key
      return
    }
    if Self.later.contains(setting.name) { throw setting.problem("not supported by this version") }
    let near = nearestName(to: setting.name, among: Self.allCases.map(\.rawValue))
    throw setting.problem("unknown key" + (near.map { "; did you mean \($0)?" } ?? ""))
  }
}

enum RootKey: String, TableKey {
  case daemon
  case defaults
  case service
}

enum DaemonKey: String, TableKey {
  case logLevel = "log-level"
  case logTarget = "log-target"
  case drainTimeout = "drain-timeout"

  static let later: Set = ["control-socket", "control-group"]
}

enum ServiceKey: String, TableKey {
  case enabled
  case serve
  case listenStream = "listen-stream"
  case listenDatagram = "listen-datagram"
  case socketMode = "socket-mode"
  case socketUser = "socket-user"
  case socketGroup = "socket-group"
  case backlog
  case user
  case group
  case maxConnections = "max-connections"
  case firstByteTimeout = "first-byte-timeout"
  case idleTimeout = "idle-timeout"
  case keepAlive = "keep-alive"
  case resolveNames = "resolve-names"
  case log
  case fortune

  static let later: Set = [
    "exec", "free-bind", "bind-to-device", "max-connections-per-source", "rate", "rate-per-source", "source-prefix",
    "when-full", "refusal", "allow", "deny", "relay", "max-duration", "wait", "environment",
    "working-directory", "umask", "nice", "limit-memory", "limit-cpu", "limit-open-files", "limit-processes", "sandbox",
    "read-only-paths", "read-write-paths", "network", "spare-processes", "connections-per-process", "log-address",
    "commands",
  ]
}

enum FortuneKey: String, TableKey {
  case databases
  case offensive
  case maxLength = "max-length"
}
