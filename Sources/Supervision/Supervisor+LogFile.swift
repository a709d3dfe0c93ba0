import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Keeping the writer of the log file running.
extension Supervisor {
  func watchLogFile() {
    guard let number = logFile?.channelNumber else { return }
    logFileToken = try? poll.add(number, .readable) { [unowned self] _ in readLogFile() }
  }

  private func readLogFile() {
    guard let logFile else { return }
    var isAny = false
    while let news = logFile.readNews() {
      isAny = true
      if case .failed(let reason) = news {
        logger.error("log-file: \(reason); the file before goes on, if there is one")
      }
    }
    // The end of a channel stays readable: watched further, it would wake begatd without pause.
    if !isAny { forgetLogFileChannel() }
  }

  func forgetLogFileChannel() {
    if let logFileToken { poll.remove(logFileToken) }
    logFileToken = nil
  }

  func logWriterEnded(_ status: ExitStatus) {
    guard let logFile else { return }
    forgetLogFileChannel()
    let (lost, delay) = logFile.writerEnded(status)
    recordLog.noteLoss(lost)
    logger.error(
      """
      log-file: the process that writes it ended: \(status); started again in \
      \(DurationText.render(.nanoseconds(delay))), and until then messages are lost
      """)
  }

  func restartLogFileIfDue() {
    guard let logFile, let time = logFile.restartTime, time <= SystemClock.monotonic() else { return }
    do throws(SystemCallError) {
      try logFile.start()
      watchLogFile()
    } catch { logFile.postpone("\(error)") }
  }
}
