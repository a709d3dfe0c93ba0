import Configuration
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Where messages and ended connections go.
struct Logs {
  var logger: Logger
  let records: any RecordLog
  let usesStandardError: Bool
  /// Whether standard error is where they go, and stays open when the terminal is left.
  let keepsStandardError: Bool
  /// The log file, if messages go there.
  var file: LogFile?
}

/// Chooses where that is.
enum LogSetup {
  /// - Parameter isDetached: whether the terminal is left: then standard error stays only if it is a file.
  /// - Returns: standard error's, with a warning, where the wanted one cannot be reached.
  static func open(_ configuration: DaemonSettings, isDetached: Bool) -> Logs {
    let isReadByJournal = standardErrorIsJournal
    let isJSON = configuration.logFormat == .json
    var handler: any RecordLog = LineLog(
      StandardErrorOutput(), LineFormat(isJSON ? .json : isReadByJournal ? .prioritized : .text))
    var failure: String?
    var file: LogFile?
    do throws(SystemCallError) {
      switch configuration.logTarget {
      case .file:
        let opened = try LogFile(path: configuration.logFile, standardError: STDERR_FILENO)
        if case .failed(let reason) = opened.awaitNews() {
          opened.close()
          failure = reason
        } else {
          handler = LineLog(opened, LineFormat(isJSON ? .json : .text))
          file = opened
        }
      case .journal: handler = try DatagramLog(.journal)
      case .syslog: handler = try DatagramLog(.syslog)
      case .auto where isReadByJournal: handler = try DatagramLog(.journal)
      case .auto where isDetached: handler = try DatagramLog(.syslog)
      case .auto, .stderr: break
      }
    } catch { failure = "\(error)" }
    handler.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    let chosen = handler
    let logger = Logger(label: "begatd") { _ in chosen }
    if let failure {
      logger.warning("log: \(failure); messages go to standard error")
    }
    let usesStandardError = chosen is LineLog && file == nil
    let outlivesStarter = standardErrorOutlivesStarter
    return Logs(
      logger: logger, records: chosen, usesStandardError: usesStandardError,
      keepsStandardError: usesStandardError && outlivesStarter, file: file)
  }

  /// To be called when the terminal is left: says that nothing more can be said.
  static func warnOfLoss(_ logs: Logs) {
    guard logs.usesStandardError, !logs.keepsStandardError else { return }
    logs.logger.warning(
      """
      log: standard error is let go of with the terminal, and what follows is lost; set log-target to "file", "syslog" \
      or "journal", or let standard error be a file
      """)
  }

  /// Whether standard error may stay open: no process waits for the end of a file, as one may for that of a pipe.
  private static var standardErrorOutlivesStarter: Bool {
    Descriptor.withBorrowed(STDERR_FILENO) { (stream) in
      switch try? FileKind(of: stream) {
      case .regular: true
      case .characterDevice: !stream.isTerminal
      default: false
      }
    }
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
