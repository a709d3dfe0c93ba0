/// How much begatd logs, by swift-log's names.
public enum LogLevel: String, Sendable, Hashable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

/// Where begatd's messages go.
public enum LogTarget: String, Sendable, Hashable, CaseIterable {
  /// The journal under systemd, syslog with `--daemon`, else standard error.
  case auto
  case stderr, journal, syslog
}

/// The table `[daemon]`.
public struct DaemonSettings: SettingsTable {
  public var logLevel = LogLevel.info
  public var logTarget = LogTarget.auto
  public var drainTimeout = Duration.seconds(30)

  public init() {}

  public static let keys: [Key<DaemonSettings>] = [
    Key("log-level", \.logLevel, .choice, "least important messages that are logged"),
    Key(
      "log-target", \.logTarget, .choice,
      "where messages go; auto is the journal under systemd, syslog with --daemon, else stderr"),
    Key("drain-timeout", \.drainTimeout, .duration, "how long open connections may go on after a stop"),
  ]
}
