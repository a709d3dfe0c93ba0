@_spi(Begat) import UnixCore

/// When what programs write to standard error is read.
struct ProgramLog {
  /// A program that writes without end is held up by a full pipe instead of keeping the listener busy.
  static let floodPause: Int64 = 100_000_000
  /// A line without an end is logged when nothing has followed for so long.
  static let quiet: Int64 = 200_000_000

  /// When the pipe is read again, CLOCK_MONOTONIC nanoseconds; nil while it is watched.
  var resumeTime: Int64?
  /// When the part of a line that is there is logged.
  var partTime: Int64?

  var due: Int64 { min(resumeTime ?? .max, partTime ?? .max) }
}

extension Listener {
  /// Reads what is there, at most 64 KiB, and reads nothing more for a moment where lines had to be left out.
  mutating func readProgramErrors() {
    guard programLog.resumeTime == nil, var errors = programErrors.take() else { return }
    errors.isFlooded = false
    errors.read { reporter.log(.notice, $0) }
    let now = SystemClock.monotonic()
    if errors.isFlooded {
      try? poller.remove(errors.reading.number)
      programLog.resumeTime = now + ProgramLog.floodPause
    }
    programLog.partTime = errors.hasPart ? now + ProgramLog.quiet : nil
    programErrors = consume errors
  }

  /// Logs the last words of a program that has ended, also without an end of line: what another one writes later is not
  /// to be joined to them.
  mutating func readLastWords() {
    guard hasProgramWords, programLog.resumeTime == nil, var errors = programErrors.take() else { return }
    if errors.read({ reporter.log(.notice, $0) }) || errors.hasPart {
      errors.finishPart { reporter.log(.notice, $0) }
      programLog.partTime = nil
    }
    programErrors = consume errors
  }

  /// Does what is due without anything new in the pipe.
  mutating func advanceProgramLog() {
    guard programLog.due < .max, programLog.due <= SystemClock.monotonic(), var errors = programErrors.take() else {
      return
    }
    let now = SystemClock.monotonic()
    if let time = programLog.resumeTime, time <= now {
      programLog.resumeTime = nil
      try? poller.add(errors.reading.number, .readable, token: Token.programErrors)
    }
    if let time = programLog.partTime, time <= now {
      errors.finishPart { reporter.log(.notice, $0) }
      programLog.partTime = nil
    }
    programErrors = consume errors
  }

  /// What is still to be logged at the end.
  mutating func finishLog() {
    programLog.resumeTime = nil
    if var errors = programErrors.take() {
      errors.read { reporter.log(.notice, $0) }
      errors.flush { reporter.log(.notice, $0) }
    }
    for line in refusals.ended(.max) { reporter.log(.notice, line) }
  }
}
