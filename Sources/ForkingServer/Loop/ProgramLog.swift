import UnixIPC

/// When what programs write to standard error is read.
struct ProgramLog {
  /// A program that writes without end is held up by a full pipe instead of keeping the listener busy.
  static let floodPause: Duration = .milliseconds(100)
  /// A line without an end is logged when nothing has followed for so long.
  static let quiet: Duration = .milliseconds(200)

  /// When the pipe is read again; nil while it is watched.
  var resumeTime: Deadline?
  /// When the part of a line that is there is logged.
  var partTime: Deadline?

  var due: Deadline { min(resumeTime ?? .never, partTime ?? .never) }
}

extension Listener {
  /// Reads what is there, at most 64 KiB, and reads nothing more for a moment where lines had to be left out.
  mutating func readProgramErrors() {
    guard programLog.resumeTime == nil, var errors = programErrors.take() else { return }
    errors.isFlooded = false
    errors.read { reporter.log(.notice, $0) }
    if errors.isFlooded {
      try? poller.remove(errors.reading.number)
      programLog.resumeTime = Deadline(after: ProgramLog.floodPause)
    }
    programLog.partTime = errors.hasPart ? Deadline(after: ProgramLog.quiet) : nil
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
    guard programLog.due.hasPassed, var errors = programErrors.take() else { return }
    let now = Deadline.now
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
    for line in refusals.ended(.never) { reporter.log(.notice, line) }
  }
}
