import Configuration
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Where messages and ended connections go.
struct Logs {
  var logger: Logger
  let records: any RecordLog
  /// Whether standard error is where they go, and stays open when the terminal is left.
  let keepsStandardError: Bool
  /// The log file, if messages go there.
  var file: LogFile?
  /// Standard error, if messages go there only until the terminal is left, because there is no other place for them.
  fileprivate var leftOutput: StandardErrorOutput?
}

/// Chooses where that is.
enum LogSetup {
  /// Why begatd does not start: its messages would be lost.
  struct Problem: Error {
    let text: String
  }

  /// - Parameter program: begatd's own, which writes log files.
  /// - Parameter isDetached: whether the terminal is left: then standard error stays only if it is a file.
  /// - Returns: another place, with a warning, where the wanted one cannot be used.
  /// - Throws: when a place is asked for that cannot be used, and no other can.
  static func open(
    _ configuration: DaemonSettings, program: HeldProgram, isDetached: Bool
  ) throws(Problem) -> Logs {
    let left = isDetached ? StandardErrorKind.left : nil
    let lines = StandardErrorOutput()
    let isJSON = configuration.logFormat == .json
    var handler: any RecordLog = LineLog(
      lines, LineFormat(isJSON ? .json : StandardErrorMessage.isInJournal ? .prioritized : .text))
    var failure: String?
    var file: LogFile?
    do throws(SystemCallError) {
      switch configuration.logTarget {
      case .file:
        let opened = try LogFile(
          path: configuration.logFile, program: program, standardError: StandardStreams.errorNumber(isKept: left == nil)
        )
        if case .failed(let reason) = opened.awaitNews() {
          opened.close()
          failure = reason
        } else {
          handler = LineLog(opened, LineFormat(isJSON ? .json : .text))
          file = opened
        }
      case .journal: handler = try DatagramLog(.journal)
      case .syslog: handler = try DatagramLog(.syslog)
      case .auto where StandardErrorMessage.isInJournal: handler = try DatagramLog(.journal)
      case .auto where isDetached: handler = try DatagramLog(.syslog)
      case .stderr:
        if let left { failure = "standard error is \(left), which is let go of with the terminal" }
      case .auto: break
      }
    } catch { failure = "\(error)" }
    var leftOutput: StandardErrorOutput?
    if failure != nil, left != nil {
      do throws(SystemCallError) {
        handler = try DatagramLog(StandardErrorMessage.isInJournal ? .journal : .syslog)
      } catch {
        // The usual place is no demand: then begatd serves, and says what it loses.
        guard configuration.logTarget == .auto else {
          throw Problem(
            text: """
              log-target "\(configuration.logTarget.rawValue)": \(failure ?? ""), and there is no other place for messages: \
              \(error); set log-target to "file", or let standard error be a file
              """)
        }
        leftOutput = lines
      }
    }
    handler.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    let chosen = handler
    let logger = Logger(label: "begatd") { _ in chosen }
    let usesStandardError = chosen is LineLog && file == nil
    if let failure {
      let text = "log: \(failure); messages go to \((chosen as? DatagramLog)?.daemon ?? "standard error")"
      logger.warning("\(text)")
      // The starter's terminal is where they would be looked for.
      if isDetached, chosen is DatagramLog { StandardErrorMessage.write(text, .warning, of: "begatd") }
    }
    return Logs(
      logger: logger, records: chosen, keepsStandardError: usesStandardError && left == nil, file: file,
      leftOutput: leftOutput)
  }

  /// To be called when the terminal is left: says that nothing more can be said.
  static func leaveTerminal(_ logs: Logs) {
    guard let output = logs.leftOutput else { return }
    logs.logger.warning(
      """
      log: standard error is let go of with the terminal, and what follows is lost; set log-target to "file", "syslog" \
      or "journal", or let standard error be a file
      """)
    output.leave()
  }
}

/// The kinds of standard error that matter for a log.
private enum StandardErrorKind {
  /// Says why it cannot stay open when the terminal is left; nil if it can, because no process waits for the end of a
  /// file, as one may for that of a pipe.
  static var left: String? {
    Descriptor.withBorrowed(STDERR_FILENO) { (stream) in
      switch try? FileKind(of: stream) {
      case .regular: nil
      case .characterDevice where stream.isTerminal: "a terminal"
      case .characterDevice: isNull ? "closed or /dev/null" : nil
      case .fifo: "a pipe"
      case .socket: "a socket"
      default: "of an unknown kind"
      }
    }
  }

  /// Whether what is written there is gone.
  private static var isNull: Bool {
    var status = (stat(), stat())
    return fstat(STDERR_FILENO, &status.0) == 0 && fstat(StandardStreams.nullNumber, &status.1) == 0
      && status.0.st_rdev == status.1.st_rdev
  }
}
