import Glibc
@_spi(Begat) import UnixCore

/// How a service manager has started this process.
public enum ServiceManagerStart {
  /// Whether systemd itself has: children inherit other variables of it, but this one names another process.
  ///
  /// Source: SYSTEMD_EXEC_PID in systemd.exec(5), since systemd 248.
  public static var isDirect: Bool {
    getenv("SYSTEMD_EXEC_PID").flatMap { pid_t(decimal: String(cString: $0)) } == getpid()
  }
}
