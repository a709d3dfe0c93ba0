import CPlatform
import Glibc

/// Gives each reader of a path a fresh text: perlipc's `.signature` server.
///
/// A reader opens the FIFO, reads one text and then the end.  As soon as it has opened, another FIFO stands at the path,
/// so that the next reader cannot meet it, and none waits for the one before.
///
/// What is promised: whatever a reader gets is whole texts, where a text has at most 4,096 bytes (`PIPE_BUF`); a reader
/// that comes alone gets exactly one, of any length; nothing is ever written into another file.  Readers that open within
/// the same fraction of a millisecond share a FIFO: they are counted as they open, and a text is written for each, the
/// next one when the last was read.  That cannot be made sure.  The kernel announces two openings of the same
/// microsecond as one, and then the second reader sees the end at once; of 1,000 readers, two at a time, up to 3 had
/// that happen.  One that is kept from running between its opening and its reading may lose its text to another.
///
/// Source: fifo(7), inotify(7), renameat2(2).
public struct FIFOServer: ~Copyable {
  public let path: String
  private let mode: mode_t
  private let lock: ServerLock
  private let watch: FileWatch
  private let counter: OpeningCounter
  private var current: FIFOGeneration
  private var left: FIFOGeneration?
  private var retired: [FIFOGeneration] = []

  /// Makes the FIFO, or puts a fresh one in the place of one that a dead server of this user left.
  ///
  /// - Throws: `FIFO.Refusal`; what stands at the path and is no FIFO of this user stays as it is.
  public init(at path: String, mode: mode_t = 0o600) throws(FIFO.Refusal) {
    let lock = try ServerLock(beside: path)
    let watch = try refusing { () throws(CallFailure) in try FileWatch() }
    // Openings that follow each other directly are announced as one.  The directory's stand between those of the FIFO.
    _ = try refusing { () throws(CallFailure) in
      try watch.add(ParentDirectory.path(of: path), IN_OPEN | IN_DELETE | IN_MOVED_FROM)
    }
    let counter = OpeningCounter()
    let fresh: FIFOGeneration
    var left: FIFOGeneration?
    let old = try FIFO.makeOrAdopt(at: path, mode: mode)
    fresh = try FIFOGeneration(beside: path, mode: mode, announcedBy: watch, counter)
    do throws(FIFO.Refusal) {
      try fresh.fifo.takePlace(of: old)
      left = try FIFOGeneration(left: old)
    } catch {
      fresh.fifo.removeIfOurs()
      throw error
    }
    self.path = path
    self.mode = mode
    self.lock = lock
    self.watch = watch
    self.counter = counter
    self.left = left
    current = fresh
  }

  deinit {
    current.fifo.removeIfOurs()
    for generation in retired { _ = generation.letLateReadersIn() }
  }

  /// Waits for readers and serves those that opened together, usually one.
  ///
  /// That a reader leaves early is no failure.
  ///
  /// - Parameter patience: how long one that reads slowly, or not, may keep the next ones waiting.
  /// - Parameter text: makes the text for one reader.
  /// - Returns: how many texts were written whole; 0 at the deadline, and when a reader left before.
  /// - Throws: `FIFO.Refusal.replaced` when something else was put in the FIFO's place, which stays there; what `text`
  ///   throws.
  public mutating func serve(
    until deadline: Deadline = .never, patience: Duration = .seconds(10), _ text: () throws -> [UInt8]
  ) throws -> Int {
    if let inherited = left {
      left = nil
      defer { retire(inherited) }
      return try deliver(to: inherited, patience, text)
    }
    while true {
      takeOpenings(of: current)
      if let late = lateReaders() {
        defer { retire(late) }
        return try deliver(to: late, patience, text)
      }
      if current.openings > 0 || !current.fifo.isInPlace { break }
      let wake = min(deadline, retired.first?.lastLook ?? .never)
      if !watch.descriptor.wait(for: .readable, until: wake), deadline.hasPassed { return 0 }
    }
    let served = current
    let fresh = try FIFOGeneration(beside: path, mode: mode, announcedBy: watch, counter)
    do throws(FIFO.Refusal) { try fresh.fifo.takePlace(of: served.fifo) } catch {
      fresh.fifo.removeIfOurs()
      throw error
    }
    current = fresh
    defer { retire(served) }
    return try deliver(to: served, patience, text)
  }

  private func deliver(to generation: FIFOGeneration, _ patience: Duration, _ text: () throws -> [UInt8]) throws -> Int
  {
    // Who opens at the same time shall be counted before the first text is written.
    pause(.milliseconds(1))
    takeOpenings(of: generation)
    var served = 0
    var written = 0
    while written < generation.openings, generation.hasReader {
      let deadline = Deadline(after: patience)
      if generation.openings > 1 { awaitReaders(of: generation, until: deadline) }
      if generation.write(try text(), until: deadline) { served += 1 }
      written += 1
      awaitReading(of: generation, until: deadline)
    }
    return served
  }

  /// Waits until all who have it open sleep in read(2), with nothing to read.
  ///
  /// The kernel gives a text to the one that has waited longest, and who has read one waits behind the others again.  But
  /// one that runs while another is still on its way to read would take both.
  private func awaitReaders(of generation: FIFOGeneration, until deadline: Deadline) {
    var readers = findReaders(of: generation)
    // Some never read, others are hidden: for these it would be in vain to wait longer.
    var shortly = Deadline(after: .milliseconds(30))
    var nap = Duration.microseconds(100)
    while true {
      takeOpenings(of: generation)
      let activity = readers.look(at: generation.fifo)
      let areAllKnown = readers.count >= generation.openings - generation.closings
      if activity == .reads, areAllKnown { return }
      if activity == .runs { shortly = Deadline(after: .milliseconds(30)) }
      if shortly.hasPassed || deadline.hasPassed { return }
      pause(nap)
      nap = min(nap * 2, .milliseconds(4))
      if !areAllKnown { readers = findReaders(of: generation) }
    }
  }

  private func findReaders(of generation: FIFOGeneration) -> FIFOReaders {
    // Who closes it meanwhile is missed, and not counted twice.
    takeOpenings(of: generation)
    let readers = FIFOReaders(of: generation.fifo)
    if readers.areDistinct { generation.found = max(generation.found, readers.count + generation.closings) }
    return readers
  }

  /// Waits until all that was written was read: closing wakes all readers at once, and one that has had its text might
  /// take another's.  Who comes alone and does not read shall not keep the next ones for long.
  private func awaitReading(of generation: FIFOGeneration, until deadline: Deadline) {
    let shortly = Deadline(after: .milliseconds(20))
    takeOpenings(of: generation)
    while !generation.isDrained, generation.hasReader,
      watch.descriptor.wait(for: .readable, until: generation.openings > 1 ? deadline : min(shortly, deadline))
    {
      takeOpenings(of: generation)
    }
  }

  private func pause(_ duration: Duration) {
    var pause = timespec(tv_sec: 0, tv_nsec: Int(duration.nanoseconds))
    nanosleep(&pause, nil)
  }

  /// Counts who has opened which of the generations meanwhile.
  private func takeOpenings(of served: FIFOGeneration) {
    let known = [served, current] + retired
    watch.take { file, events in
      guard let generation = known.first(where: { $0.watch == file }) else { return }
      if events & UInt32(IN_OPEN) != 0 { generation.announced.openings += 1 }
      if events & UInt32(IN_CLOSE_NOWRITE) != 0 { generation.announced.closings += 1 }
    }
    counter.take { identity, isOpening, isClosing in
      guard let generation = known.first(where: { $0.identity.map { $0[...] } == identity }) else { return }
      if isOpening { generation.counted.openings += 1 }
      if isClosing { generation.counted.closings += 1 }
    }
  }

  private mutating func retire(_ generation: FIFOGeneration) {
    generation.close()
    generation.lastLook = Deadline(after: .milliseconds(50))
    retired.append(generation)
  }

  /// The next one of the FIFOs that stood here before that has been opened since, by who had looked up the path before
  /// and got the processor late.
  private mutating func lateReaders() -> FIFOGeneration? {
    while let first = retired.first, first.lastLook.hasPassed {
      takeOpenings(of: first)
      retired.removeFirst()
      if first.letLateReadersIn() {
        pause(.milliseconds(1))
        takeOpenings(of: first)
        if first.openings > 0 { return first }
      }
      first.close()
      first.forget(watch, counter)
    }
    return nil
  }
}
