import CSharedLayouts
import ControlProtocol
@_spi(Begat) import UnixCore

/// The pipes to which programs and connection processes write, and when they are read.
struct ProgramLog {
  /// How long a pipe stays unread after a flood: a full pipe holds up a program that writes forever.
  static let floodPause: Duration = .milliseconds(100)
  /// An unfinished line is logged when nothing has followed for so long.
  static let quiet: Duration = .milliseconds(200)

  let rate: ProgramLineRate
  /// The pipe of processes that have none of their own.
  let shared: ProgramErrors
  /// Those of single connections, by the numbers of their descriptors: also of connections that have ended, as long as
  /// descendants of their programs can write.
  var pipes: [CInt: ProgramErrors] = [:]
  /// How many there may be: the rest of the descriptors is for clients.
  private let mostPipes: Int
  /// Not later than the first of all that is due without new output.
  var due = Deadline.never

  /// - Parameter startsPrograms: whether each connection has a pipe of its own.
  init(shared: ProgramErrors, rate: ProgramLineRate, startsPrograms: Bool) {
    self.shared = shared
    self.rate = rate
    let descriptors = (try? ResourceLimit.openFiles.current().soft) ?? 1024
    mostPipes = startsPrograms ? Int(clamping: descriptors / 2) : 0
  }

  /// A new pipe for a connection; nil where it has to use the shared one.
  func openPipe() -> ProgramErrors? {
    guard pipes.count < mostPipes else { return nil }
    return try? ProgramErrors(rate: rate)
  }

  /// What a connection's process gets as standard error.
  func number(of pipe: ProgramErrors?) -> CInt { (pipe ?? shared).number }
}

extension Listener {
  /// Watches the pipe of a connection whose process has started; nothing but the process can write to it from now on.
  ///
  /// - Returns: its number in `programLog.pipes`.
  mutating func watch(_ pipe: ProgramErrors, of record: begat_record) -> CInt {
    let number = pipe.reading.number
    pipe.record = record
    pipe.leaveToProgram()
    programLog.pipes[number] = pipe
    watch(number, true, token: Token.pipes + UInt64(number))
    return number
  }

  /// Reads what is there, at most 64 KiB, and reads nothing more for a moment where lines had to be left out.
  mutating func readOutput(_ pipe: ProgramErrors) {
    guard pipe.resumeTime == nil else { return }
    pipe.isFlooded = false
    if pipe.read({ reporter.log($0) }) == .end { return close(pipe) }
    if pipe.isFlooded {
      try? poller.remove(pipe.reading.number)
      pipe.resumeTime = Deadline(after: ProgramLog.floodPause)
    }
    pipe.partTime = pipe.hasPart ? Deadline(after: ProgramLog.quiet) : nil
    programLog.due = min(programLog.due, pipe.resumeTime ?? .never, pipe.partTime ?? .never)
  }

  /// Logs the last output of a connection that has ended, with an unfinished line, before the record of its end.
  mutating func readLastWords(of entry: borrowing ConnectionTable.Entry) {
    // The number may be that of another connection's pipe, if this one's was closed before.
    guard let pipe = programLog.pipes[entry.pipe], pipe.record?.pid == entry.process else { return }
    // A pipe holds 64 KiB, so that this is all that was there when the process ended.
    for _ in 0..<2 {
      switch pipe.read({ reporter.log($0) }) {
      case .output: continue
      case .end: return close(pipe)
      case .nothing: break
      }
      break
    }
    // Descendants of the program may go on writing.
    pipe.finishPart { reporter.log($0) }
  }

  private mutating func close(_ pipe: ProgramErrors) {
    pipe.finishPart { reporter.log($0) }
    let number = pipe.reading.number
    if pipe.resumeTime == nil { try? poller.remove(number) }
    programLog.pipes[number] = nil
  }

  /// Does the work that is due without new output in a pipe.
  mutating func advanceProgramLog() {
    guard programLog.due.hasPassed else { return }
    let now = Deadline.now
    programLog.due = .never
    resume(programLog.shared, Token.programErrors, now)
    for (number, pipe) in programLog.pipes { resume(pipe, Token.pipes + UInt64(number), now) }
  }

  private mutating func resume(_ pipe: ProgramErrors, _ token: UInt64, _ now: Deadline) {
    if let time = pipe.resumeTime, time <= now {
      pipe.resumeTime = nil
      try? poller.add(pipe.reading.number, .readable, token: token)
    }
    if let time = pipe.partTime, time <= now { pipe.finishPart { reporter.log($0) } }
    programLog.due = min(programLog.due, pipe.resumeTime ?? .never, pipe.partTime ?? .never)
  }

  /// Logs everything that is left, at the end.
  mutating func finishLog() {
    for pipe in [programLog.shared] + programLog.pipes.values {
      pipe.read { reporter.log($0) }
      pipe.finishPart { reporter.log($0) }
    }
    programLog.rate.sayLeftOut { reporter.log($0) }
    sayConnectionsCounted(.now, isLast: true)
    for line in refusals.ended(.never) { reporter.log(.notice, line, .clientsCounted) }
  }
}
