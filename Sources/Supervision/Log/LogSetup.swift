import Configuration
import Glibc
import Logging
import Settings
import UnixIPC

/// Where messages and ended connections go.
struct Logs {
  var logger: Logger
  let records: any RecordLog
}

/// Chooses where that is.
enum LogSetup {
  /// - Parameter isDetached: whether standard error leads nowhere.
  /// - Returns: standard error's, with a warning, where the wanted one cannot be reached.
  static func open(_ configuration: DaemonSettings, isDetached: Bool) -> Logs {
    let isReadByJournal = standardErrorIsJournal
    var handler: any LogHandler & RecordLog = StandardErrorLog(isReadByJournal: isReadByJournal)
    var failure: CallFailure?
    do throws(CallFailure) {
      switch configuration.logTarget {
      case .journal: handler = try DatagramLog(.journal)
      case .syslog: handler = try DatagramLog(.syslog)
      case .auto where isReadByJournal: handler = try DatagramLog(.journal)
      case .auto where isDetached: handler = try DatagramLog(.syslog)
      case .auto, .stderr: break
      }
    } catch { failure = error }
    handler.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    let chosen = handler
    let logger = Logger(label: "begatd") { _ in chosen }
    if let failure {
      let place = isDetached ? "nowhere once the terminal is left; set log-target" : "to standard error"
      logger.warning("log: \(failure); messages go \(place)")
    }
    return Logs(logger: logger, records: chosen)
  }

  /// Whether the service manager reads standard error into its journal.
  ///
  /// Source: systemd.exec(5), JOURNAL_STREAM.
  private static var standardErrorIsJournal: Bool {
    guard let text = getenv("JOURNAL_STREAM").map({ String(cString: $0) }) else { return false }
    var facts = stat()
    guard fstat(STDERR_FILENO, &facts) == 0 else { return false }
    return text == "\(facts.st_dev):\(facts.st_ino)"
  }
}
