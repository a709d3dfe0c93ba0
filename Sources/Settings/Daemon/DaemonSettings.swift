/// How much begatd logs, by swift-log's names.
public enum LogLevel: String, Sendable, Hashable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

/// Where begatd's messages go.
public enum LogTarget: String, Sendable, Hashable, CaseIterable {
  /// The journal under systemd, syslog with `--daemon`, else standard error.
  case auto
  case stderr, journal, syslog
  /// The file that `log-file` names.
  case file
}

/// The form of lines on standard error and in a log file.
public enum LogFormat: String, Sendable, Hashable, CaseIterable {
  case text
  /// One JSON object a line.
  case json
}

/// The table `[daemon]`.
public struct DaemonSettings: SettingsTable {
  public var logLevel = LogLevel.info
  public var logTarget = LogTarget.auto
  public var logFile = "/var/log/begatd.log"
  public var logFormat = LogFormat.text
  public var drainTimeout = Duration.seconds(30)
  public var announceTime = Duration.zero
  /// A path, in which `%t/` stands for the runtime directory; or `noControlSocket`.
  public var controlSocket = "%t/control"
  /// The group whose members may ask questions, by name or number.
  public var controlGroup: String?
  public var identityRange = IdentityRange.usual

  /// In the place of a path: there are no control sockets.
  public static let noControlSocket = "none"

  /// The path of the socket for questions that belongs to a control socket: `status` beside `control`, and otherwise
  /// `NAME.status` beside `NAME`, so that several may be in one directory.
  public static func questionsPath(beside control: String) -> String {
    control.hasSuffix("/control") ? control.dropLast("control".count) + "status" : control + ".status"
  }

  public init() {}

  public static let standard = DaemonSettings()

  public static let keys: [Key<DaemonSettings>] = [
    Key("log-level", \.logLevel, .choice, "least important messages that are logged"),
    Key(
      "log-target", \.logTarget, .choice,
      "where messages go; auto is the journal under systemd, syslog with --daemon, else stderr"),
    Key(
      "log-file", \.logFile, .absolutePath(of: "a file", example: "/var/log/begatd.log"),
      "file that messages are appended to if log-target is \"file\"",
      details: """
        A process of its own writes it, so that a full or hanging file system delays nothing: messages that it cannot take \
        are dropped, and counted in a line when it takes some again.  SIGUSR1 and begat reload open the file anew, as \
        after a rotation; no line is lost by that, and none is written twice.  A new file has mode 0640.
        """),
    Key(
      "log-format", \.logFormat, .choice, "form of lines on standard error and in the log file: text, or JSON objects",
      details: "LOG in begatd(8) describes both.  The journal has fields instead, and syslog always has text."),
    Key(
      "drain-timeout", \.drainTimeout, .duration, "how long open connections may go on after a stop or a drain",
      details: """
        Connections that are left then are ended: SIGTERM, and SIGKILL 5 s later.  A service manager that started begatd \
        is told to wait so long.
        """),
    Key(
      "announce-time", \.announceTime, .duration,
      "how long clients are still accepted after a stop or a drain is ordered",
      details: """
        begat status and the service manager show meanwhile that begatd or a service is about to close, so that load \
        balancers and other sources of clients can go elsewhere before the first one is refused.
        """),
    Key(
      "control-socket", \.controlSocket, .controlSocket,
      "socket by which begat commands this begatd; \"none\" opens none",
      details: """
        Only begatd's own user and root can connect to it.  The socket status beside it, or NAME.status beside \
        another NAME than control, answers questions and takes no orders.  %t is the directory of begatd's own sockets: $RUNTIME_DIRECTORY, else /run/begat for root, else \
        $XDG_RUNTIME_DIR/begat, else /tmp/begat-UID.  A second begatd with the same directory does not start.  If \
        the machine's service manager started begatd, and programs of a service run under begatd's own user, only root \
        may command it; begat-control(7) describes the language.
        """),
    Key(
      "control-group", \.controlGroup, optional: .account("group", example: "adm"),
      "group whose members may use begat status and begat ps; unset: begatd's own user and root only"),
    Key(
      "identity-range", \.identityRange, .identityRange,
      "numbers of the users and groups that services get where no user is set",
      details: """
        If begatd may change its user, each service that sets no user gets a user and a group of its own, with the \
        same number and the name begat-NAME.  A name keeps its number: begatd remembers it in the file identities of \
        its state directory, $STATE_DIRECTORY, else /var/lib/begat, even after the service is removed, because files \
        may belong to it.  Numbers of other users and groups, and those that other processes run as, are passed over.  \
        If no number is left, or none of them exists in begatd's user namespace, services run as nobody, and a warning \
        says so.
        """),
  ]
}

extension Syntax where Value == String {
  /// The path of the control socket.
  static let controlSocket = text(
    "PATH", "an absolute path, one that begins with %t/, or \"none\"", example: "%t/control", numbers: 0..<0
  ) { text in
    guard text != DaemonSettings.noControlSocket else { return true }
    guard text.hasPrefix("/") || text.hasPrefix("%t/"), let name = text.split(separator: "/").last else { return false }
    return !text.hasSuffix("/") && name != "status" && name != "." && name != ".."
  }
}
