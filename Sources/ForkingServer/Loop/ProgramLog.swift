import CSharedLayouts
import ControlProtocol
@_spi(Begat) import UnixCore

/// The pipes to which programs and connection processes write, and when they are read.
///
/// Each connection of a program has one of its own, so that its lines are never joined to those of another client.  Most
/// programs write nothing and end soon: their pipes cost no memory, and no event that would wake the listener.
struct ProgramLog: ~Copyable {
  /// How long a pipe stays unread after a flood: a full pipe holds up a program that writes forever.
  static let floodPause: Duration = .milliseconds(100)
  /// An unfinished line is logged when nothing has followed for so long.
  static let quiet: Duration = .milliseconds(200)
  /// How often pipes are looked at while clients come; without clients they wake the listener.
  static let lookInterval: Duration = .milliseconds(10)

  /// The pipe of one connection, also of one that has ended, as long as descendants of its program can write.
  private struct Pipe {
    /// Says which connection it is; its process is 0 where there is no pipe.
    var record: begat_record
    var isWatched: Bool
    /// Whether it is among `unwatched`, where a pipe of the same number may have been before.
    var isNoted: Bool
  }

  let rate: ProgramLineRate
  /// The pipe of processes that have none of their own.
  let shared: ProgramErrors
  /// Announces output in pipes of connections.
  let poller: Poller
  /// Memory that forks do not copy: the pipes, by the numbers of their descriptors, and the numbers of those that are to be
  /// watched if they last.
  private let memory: MemoryMapping
  private let pipes: UnsafeMutableBufferPointer<Pipe>
  private let unwatched: UnsafeMutableBufferPointer<CInt>
  private var unwatchedCount = 0
  private var count = 0
  /// How many there may be: the rest of the descriptors is for clients.
  private let limit: Int
  /// Whether a process may have copies of a pipe's reading end, which was forked and is about to close them: then closing
  /// one does not end its watching.
  private let forks: Bool
  /// The lines of those pipes that have brought any.
  fileprivate var lines: [CInt: ProgramLines] = [:]
  /// Not later than the first of all that is due without new output.
  fileprivate(set) var due = Deadline.never
  private var nextLook = Deadline(instant: 0)

  /// - Parameter connections: how many may have a pipe of their own at the same time.
  /// - Parameter forks: whether connections have forked processes; programs that are executed have no copies.
  init(shared: ProgramErrors, connections: Int, forks: Bool) throws(SystemCallError) {
    let poller = try Poller()
    let descriptors = (try? ResourceLimit.openFiles.current().soft) ?? 1024
    let limit = min(connections, Int(clamping: descriptors / 2))
    // Descriptors get the lowest free numbers: those of pipes are hardly above the number of connections.
    let places = 2 * limit + 256
    let memory = try MemoryMapping.private(
      size: places * (MemoryLayout<Pipe>.stride + MemoryLayout<CInt>.stride))
    let start = memory.unsafeBytes.baseAddress!
    self.shared = shared
    rate = shared.rate
    self.forks = forks
    self.poller = poller
    self.limit = limit
    self.memory = memory
    pipes = UnsafeMutableBufferPointer(start: start.bindMemory(to: Pipe.self, capacity: places), count: places)
    unwatched = UnsafeMutableBufferPointer(
      start: (start + places * MemoryLayout<Pipe>.stride).bindMemory(to: CInt.self, capacity: places), count: places)
  }

  /// A new pipe for a connection; nil where it has to use the shared one.
  func openPipe() -> PipeEnds? {
    guard count < limit, let pipe = try? PipeEnds.readWithoutWaiting(), Int(pipe.readEnd.number) < pipes.count else {
      return nil
    }
    return pipe
  }

  /// The descriptor that a connection's process gets as standard error.
  func number(of pipe: borrowing PipeEnds?) -> CInt {
    switch pipe {
    case .some(let pipe): pipe.writeEnd.number
    case nil: shared.number
    }
  }

  /// Keeps the reading end of a connection's pipe, and leaves the other one to its process alone: when it is closed there,
  /// the pipe is at its end.
  ///
  /// - Returns: the pipe's number.
  mutating func add(_ pipe: consuming PipeEnds, of record: begat_record) -> CInt {
    let reading = pipe.readEnd
    let number = reading.release()
    let place = Int(number)
    let isNoted = pipes[place].isNoted
    pipes[place] = Pipe(record: record, isWatched: false, isNoted: true)
    if !isNoted {
      unwatched[unwatchedCount] = number
      unwatchedCount += 1
    }
    count += 1
    return number
  }

  /// The connection whose pipe has this number; nil if there is none.
  func record(of number: CInt) -> begat_record? {
    guard pipes.indices.contains(Int(number)), pipes[Int(number)].record.pid != 0 else { return nil }
    return pipes[Int(number)].record
  }

  /// The numbers of all pipes of connections.
  var numbers: [CInt] {
    var numbers: [CInt] = []
    for place in pipes.indices where pipes[place].record.pid != 0 { numbers.append(CInt(place)) }
    return numbers
  }

  /// Whether it is time to look at the pipes, although no event of theirs has woken the listener.
  mutating func isLookDue() -> Bool {
    guard count > 0, nextLook.hasPassed else { return false }
    nextLook = Deadline(after: ProgramLog.lookInterval)
    return true
  }

  /// Watches the pipes that were added since this was called last, and are still there.
  mutating func watchNew() {
    while unwatchedCount > 0 {
      unwatchedCount -= 1
      let number = unwatched[unwatchedCount]
      pipes[Int(number)].isNoted = false
      if pipes[Int(number)].record.pid != 0 { watch(number) }
    }
  }

  fileprivate mutating func watch(_ number: CInt) {
    guard !pipes[Int(number)].isWatched else { return }
    pipes[Int(number)].isWatched = (try? poller.add(number, .readable, token: UInt64(number))) != nil
  }

  fileprivate mutating func unwatch(_ number: CInt) {
    guard pipes[Int(number)].isWatched else { return }
    try? poller.remove(number)
    pipes[Int(number)].isWatched = false
  }

  mutating func close(_ number: CInt) {
    if forks { unwatch(number) }
    pipes[Int(number)].record.pid = 0
    lines[number] = nil
    count -= 1
    _ = Descriptor(owning: number)
  }

  fileprivate func read(_ number: CInt) -> ProgramLineRate.Found {
    Descriptor.withBorrowed(number) { rate.read($0) }
  }

  /// The lines of a pipe that has brought something.
  fileprivate mutating func lines(of number: CInt, _ record: begat_record) -> ProgramLines {
    if let known = lines[number] { return known }
    let new = ProgramLines(of: record, rate: rate)
    lines[number] = new
    return new
  }

  fileprivate mutating func noteDue(_ lines: ProgramLines) {
    due = min(due, lines.resumeTime ?? .never, lines.partTime ?? .never)
  }
}

extension Listener {
  /// Reads the pipes of connections in which something is.
  mutating func readPipes() {
    programLog.watchNew()
    // Copied before the first is read: an array would be memory that is allocated for each look.
    var ready = SIMD32<CInt>()
    var count = 0
    programLog.poller.wait(milliseconds: 0, maxCount: ready.scalarCount) { event in
      ready[count] = CInt(event.token)
      count += 1
    }
    for index in 0..<count { readPipe(ready[index]) }
  }

  /// Reads what the shared pipe has, and nothing more for a moment where lines had to be left out.
  mutating func readSharedPipe() {
    let lines = programLog.shared.lines
    guard lines.resumeTime == nil, case .output(let bytes) = programLog.rate.read(programLog.shared.reading) else {
      return
    }
    if take(bytes, lines) { try? poller.remove(programLog.shared.reading.number) }
  }

  private mutating func readPipe(_ number: CInt) {
    guard let record = programLog.record(of: number), programLog.lines[number]?.resumeTime == nil else { return }
    switch programLog.read(number) {
    case .nothing: break
    case .end: closePipe(number)
    case .output(let bytes): if take(bytes, programLog.lines(of: number, record)) { programLog.unwatch(number) }
    }
  }

  /// Logs lines; returns whether some had to be left out, so that the pipe is not to be watched until `resumeTime`.
  private mutating func take(_ bytes: UnsafeRawBufferPointer, _ lines: ProgramLines) -> Bool {
    reportOpenings()
    lines.isFlooded = false
    lines.take(bytes) { reporter.log($0) }
    if lines.isFlooded { lines.resumeTime = Deadline(after: ProgramLog.floodPause) }
    lines.partTime = lines.hasPart ? Deadline(after: ProgramLog.quiet) : nil
    programLog.noteDue(lines)
    return lines.isFlooded
  }

  /// Logs the last output of a connection that has ended, with an unfinished line, before the record of its end.
  mutating func readLastWords(of entry: borrowing ConnectionTable.Entry) {
    let number = entry.pipe
    // The number may be that of another connection's pipe, if this one's was closed before.
    guard number >= 0, let record = programLog.record(of: number), record.pid == entry.process else { return }
    // A pipe holds 64 KiB, so that this is all that was there when the process ended.
    for _ in 0..<2 {
      switch programLog.read(number) {
      case .output(let bytes):
        reportOpenings()
        programLog.lines(of: number, record).take(bytes) { reporter.log($0) }
        continue
      case .end: return closePipe(number)
      case .nothing: break
      }
      break
    }
    // Descendants of the program may go on writing.
    programLog.lines[number]?.finishPart { reporter.log($0) }
  }

  /// Logs the beginnings of connections before the lines of their programs.
  private mutating func reportOpenings() { if logsOpenings { report() } }

  private mutating func closePipe(_ number: CInt) {
    programLog.lines[number]?.finishPart { reporter.log($0) }
    programLog.close(number)
  }

  /// Does the work that is due without new output in a pipe.
  mutating func advanceProgramLog() {
    guard programLog.due.hasPassed else { return }
    let now = Deadline.now
    programLog.due = .never
    if isResumed(programLog.shared.lines, now) {
      try? poller.add(programLog.shared.reading.number, .readable, token: Token.programErrors)
    }
    for (number, lines) in programLog.lines where isResumed(lines, now) { programLog.watch(number) }
  }

  /// Logs an unfinished line if that is due; returns whether the pipe is to be watched again.
  private mutating func isResumed(_ lines: ProgramLines, _ now: Deadline) -> Bool {
    let isResumed = lines.resumeTime ?? .never <= now
    if isResumed { lines.resumeTime = nil }
    if lines.partTime ?? .never <= now { lines.finishPart { reporter.log($0) } }
    programLog.noteDue(lines)
    return isResumed
  }

  /// Logs everything that is left, at the end.
  mutating func finishLog() {
    if case .output(let bytes) = programLog.rate.read(programLog.shared.reading) {
      programLog.shared.lines.take(bytes) { reporter.log($0) }
    }
    programLog.shared.lines.finishPart { reporter.log($0) }
    for number in programLog.numbers {
      guard let record = programLog.record(of: number) else { continue }
      if case .output(let bytes) = programLog.read(number) {
        programLog.lines(of: number, record).take(bytes) { reporter.log($0) }
      }
      programLog.lines[number]?.finishPart { reporter.log($0) }
    }
    programLog.rate.sayLeftOut { reporter.log($0) }
    sayConnectionsCounted(.now, isLast: true)
    for line in refusals.ended(.never) { reporter.log(.notice, line, .clientsCounted) }
  }
}
