import ControlProtocol

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
  case exec
  case listenStream = "listen-stream"
  case listenDatagram = "listen-datagram"
  case socketMode = "socket-mode"
  case socketUser = "socket-user"
  case socketGroup = "socket-group"
  case backlog
  case freeBind = "free-bind"
  case bindToDevice = "bind-to-device"
  case user
  case group
  case maxConnections = "max-connections"
  case maxConnectionsPerSource = "max-connections-per-source"
  case rate
  case ratePerSource = "rate-per-source"
  case sourcePrefix = "source-prefix"
  case whenFull = "when-full"
  case refusal
  case allow
  case deny
  case firstByteTimeout = "first-byte-timeout"
  case idleTimeout = "idle-timeout"
  case maxDuration = "max-duration"
  case keepAlive = "keep-alive"
  case relay
  case wait
  case environment
  case workingDirectory = "working-directory"
  case umask
  case nice
  case limitMemory = "limit-memory"
  case limitCPU = "limit-cpu"
  case limitOpenFiles = "limit-open-files"
  case limitProcesses = "limit-processes"
  case resolveNames = "resolve-names"
  case log
  case fortune
  case commands

  static let later: Set = [
    "sandbox", "read-only-paths", "read-write-paths", "network", "spare-processes", "connections-per-process",
    "log-address",
  ]
}

enum SourcePrefixKey: String, TableKey {
  case ipv4
  case ipv6
}

enum FortuneKey: String, TableKey {
  case databases
  case offensive
  case maxLength = "max-length"
}
