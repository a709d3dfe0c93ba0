/// How much begatd tells, by swift-log's names.
public enum LogLevel: String, Sendable, Hashable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

/// Where begatd's messages go.
public enum LogTarget: String, Sendable, Hashable, CaseIterable {
  /// The journal under systemd, else standard error.
  case auto
  case stderr, journal, syslog
}

/// The table `[daemon]`.
public struct DaemonConfiguration: Sendable, Hashable {
  public var logLevel = LogLevel.info
  public var logTarget = LogTarget.auto
  /// How long connections may go on after a stop or a reload.
  public var drainTimeout = Duration.seconds(30)

  public init() {}
}

extension DaemonConfiguration {
  init(_ table: Setting?, problems: inout ProblemCollector) {
    for (key, setting) in problems.entries(of: table, DaemonKey.self) {
      switch key {
      case .logLevel: logLevel = problems.collect(try setting.choice()) ?? logLevel
      case .logTarget: logTarget = problems.collect(try setting.choice()) ?? logTarget
      case .drainTimeout: drainTimeout = problems.collect(try setting.duration()) ?? drainTimeout
      }
    }
  }
}
