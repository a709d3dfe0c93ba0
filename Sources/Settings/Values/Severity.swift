/// How serious a log line is; the numbers are syslog(3)'s.
public enum Severity: UInt32, Sendable {
  case error = 3
  case warning = 4
  case notice = 5
  case info = 6
  case debug = 7
}
