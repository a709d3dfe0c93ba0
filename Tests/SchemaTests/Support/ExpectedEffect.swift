import Settings

/// What each key is expected to do, written without a look at the conditions of the keys.
struct ExpectedEffect: Sendable {
  /// A value that is not the default.
  let sample: RawValue
  let hasEffect: @Sendable (Circumstance) -> Bool
  /// begatd's own affair: the listener gets a socket that is bound already, or does not exist.
  let isOfDaemon: Bool

  private init(
    _ sample: RawValue, isOfDaemon: Bool = false, _ hasEffect: @escaping @Sendable (Circumstance) -> Bool
  ) {
    self.sample = sample
    self.isOfDaemon = isOfDaemon
    self.hasEffect = hasEffect
  }

  /// Keys that make a circumstance instead of having an effect in it.
  static let circumstantial: Set = ["serve", "exec", "listen-stream", "listen-datagram"]

  static let byKey: [String: ExpectedEffect] = [
    "enabled": ExpectedEffect(.boolean(false), isOfDaemon: true) { _ in true },
    "relay": ExpectedEffect(.boolean(true)) { $0.isProgram },
    "wait": ExpectedEffect(.boolean(true)) { $0.isProgram },

    "socket-mode": ExpectedEffect(.string("0600"), isOfDaemon: true) { $0.bindsPaths },
    "socket-user": ExpectedEffect(.string("daemon"), isOfDaemon: true) { $0.bindsPaths },
    "socket-group": ExpectedEffect(.string("daemon"), isOfDaemon: true) { $0.bindsPaths },
    "backlog": ExpectedEffect(.integer(7), isOfDaemon: true) { $0.bindsStreams },
    "free-bind": ExpectedEffect(.boolean(true), isOfDaemon: true) { $0.bindsInternet },
    "bind-to-device": ExpectedEffect(.string("lo"), isOfDaemon: true) { $0.bindsInternet },
    "keep-alive": ExpectedEffect(.boolean(false)) { $0.accepts && $0.hasInternetStreams },

    "user": ExpectedEffect(.string("daemon")) { _ in true },
    "group": ExpectedEffect(.string("daemon")) { _ in true },
    "sandbox": ExpectedEffect(.string("off")) { _ in true },

    "allow": ExpectedEffect(.list([.string("198.51.100.0/24")])) { $0.accepts },
    "deny": ExpectedEffect(.list([.string("203.0.113.7")])) { $0.accepts },
    "deny-time": ExpectedEffect(.string("5m after 3")) { $0.accepts && $0.hasStreams },
    "deny-exempt": ExpectedEffect(.list([.string("203.0.113.8")])) { $0.accepts && $0.hasStreams },
    "proxy-from": ExpectedEffect(.list([.string("198.51.100.9")])) {
      $0.accepts && $0.hasStreams && !$0.hasDatagrams && $0.offered != .builtIn(.haproxyAgent)
    },
    // They need proxy-from.
    "proxy-timeout": ExpectedEffect(.string("7s")) { _ in false },
    "proxy-version": ExpectedEffect(.integer(2)) { _ in false },
    "refusal": ExpectedEffect(.string("no")) { $0.accepts && ($0.hasStreams || $0.isStdio) },

    "max-connections": ExpectedEffect(.integer(9)) { $0.accepts && $0.hasStreams },
    "max-connections-per-source": ExpectedEffect(.integer(8)) { $0.accepts && $0.hasStreams },
    "rate": ExpectedEffect(.string("5/m")) { !$0.isStdio },
    "rate-per-source": ExpectedEffect(.string("6/m")) { $0.accepts && !$0.isStdio },
    "source-prefix.ipv4": ExpectedEffect(.integer(24)) { $0.accepts && $0.hasInternet },
    "source-prefix.ipv6": ExpectedEffect(.integer(48)) { $0.accepts && $0.hasInternet },
    "when-full": ExpectedEffect(.string("refuse")) { $0.accepts && $0.hasStreams },

    "spare-processes": ExpectedEffect(.integer(3)) {
      if case .builtIn = $0.offered { $0.hasStreams && !$0.isOfBegatd } else { false }
    },

    "first-byte-timeout": ExpectedEffect(.string("7s")) {
      $0.measuresTime && ($0.hasStreams || $0.isStdio) && $0.offered != .builtIn(.haproxyAgent)
    },
    "idle-timeout": ExpectedEffect(.string("8s")) { $0.measuresTime && ($0.hasStreams || $0.isStdio) },
    "max-duration": ExpectedEffect(.string("9s")) { $0.hasStreams || $0.isStdio || $0.offered == .wait },

    "environment": ExpectedEffect(.table([RawValue.Member("A", .string("b"))])) { $0.runsPrograms },
    "login-environment": ExpectedEffect(.boolean(true)) { $0.runsPrograms },
    "working-directory": ExpectedEffect(.string("/usr")) { $0.runsPrograms },
    "umask": ExpectedEffect(.string("0077")) { $0.runsPrograms },
    "nice": ExpectedEffect(.integer(5)) { $0.runsPrograms },
    "limit-memory": ExpectedEffect(.string("64M")) { $0.runsPrograms },
    "limit-cpu": ExpectedEffect(.string("10s")) { $0.runsPrograms },
    "limit-open-files": ExpectedEffect(.integer(64)) { $0.runsPrograms },
    "limit-file-size": ExpectedEffect(.string("1M")) { $0.runsPrograms },
    "limit-processes": ExpectedEffect(.integer(100)) { $0.runsPrograms },
    "read-only-paths": ExpectedEffect(.list([.string("/usr")])) { $0.runsPrograms },
    "read-write-paths": ExpectedEffect(.list([.string("/tmp")])) { $0.runsPrograms },
    "allow-set-user-id": ExpectedEffect(.boolean(true)) { $0.runsPrograms },
    "network": ExpectedEffect(.string("none")) { $0.runsPrograms },
    "commands": ExpectedEffect(.table([RawValue.Member("disk", .list([.string("/bin/ls"), .string("-l")]))])) {
      $0.offered == .commands || $0.offered == .builtIn(.command)
    },

    "fortune.databases": ExpectedEffect(.list([.string("/")])) { $0.tellsFortunes },
    "fortune.offensive": ExpectedEffect(.boolean(true)) { $0.tellsFortunes },
    "fortune.max-length": ExpectedEffect(.integer(5)) { $0.tellsFortunes },

    "show-peers": ExpectedEffect(.boolean(true)) { $0.offered == .builtIn(.status) },
    "server-names": ExpectedEffect(.list([.string("status.example.org")])) { $0.offered == .builtIn(.status) },

    "weight": ExpectedEffect(.string("free")) { $0.offered == .builtIn(.haproxyAgent) },

    "resolve-names": ExpectedEffect(.boolean(false)) { $0.offered == .builtIn(.hello) && $0.hasInternetStreams },
    "log": ExpectedEffect(.string("none")) { $0.hasStreams || $0.offered == .wait },
    "log-rate": ExpectedEffect(.string("none")) { $0.hasStreams || $0.offered == .wait },
    "log-address": ExpectedEffect(.string("prefix")) { $0.accepts },
  ]

  /// What relay and wait exclude: the key to blame.
  static func conflict(of name: String, in circumstance: Circumstance) -> String? {
    name == "relay" && circumstance.offered == .wait || name == "wait" && circumstance.offered == .relay ? "wait" : nil
  }
}
