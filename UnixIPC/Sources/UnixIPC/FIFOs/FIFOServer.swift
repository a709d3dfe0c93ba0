import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Gives each reader of a path a fresh text: perlipc's `.signature` server.
///
/// A reader opens the FIFO, reads one text and then the end.  As soon as it has opened, another FIFO stands at the path,
/// so that the next reader cannot meet it, and none waits for the one before.
///
/// What is promised: each reader gets exactly one whole text.  One that comes alone may have a text of any length.
/// Readers that open within the same fraction of a millisecond share a FIFO: they are counted, and a text is written for
/// each when all of them sleep in read(2); the kernel gives it to the one that has waited longest.  For these a text has
/// at most 4,096 bytes (`PIPE_BUF`), and is taken by one read.  Nothing is ever written into another file.
///
/// For readers that share one, this holds as far as /proc shows what they do: those of this user, and to root all.  It
/// is not sure for those that are hidden (other users', a sandbox), that wait by poll(2), splice(2) or 32-bit calls, or
/// do something else for 30 milliseconds before they read or read on.  Nor for one that the kernel keeps for a
/// millisecond from ending an open(2) that it has begun: it may see the end at once.
///
/// Source: fifo(7), pipe(7), inotify(7), fanotify(7), proc(5), renameat2(2).
public struct FIFOServer: ~Copyable {
  /// The path that readers open.
  public let path: UnixPath
  private let mode: mode_t
  private let lock: ServerLock
  private let watch: FileWatch
  private let counter: OpeningCounter
  private var current: FIFOGeneration
  private var left: FIFOGeneration?
  private var retired: [FIFOGeneration] = []

  /// Makes the FIFO, or puts a fresh one in the place of one that a dead server of this user left.
  ///
  /// - Throws: `FIFO.OpenError`; what stands at the path and is no FIFO of this user stays as it is.
  public init(at path: UnixPath, mode: mode_t = 0o600) throws(FIFO.OpenError) {
    let lock = try ServerLock(beside: path)
    let watch = try opening { () throws(SystemCallError) in try FileWatch() }
    // Openings that follow each other directly are announced as one.  The directory's stand between those of the FIFO.
    _ = try opening { () throws(SystemCallError) in
      try watch.add(path.parent, IN_OPEN | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
    }
    let counter = OpeningCounter()
    let fresh: FIFOGeneration
    var left: FIFOGeneration?
    let old = try FIFO.makeOrAdopt(at: path, mode: mode)
    fresh = try FIFOGeneration(beside: path, mode: mode, announcedBy: watch, counter)
    do throws(FIFO.OpenError) {
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

  /// Makes the FIFO at a path that is text, or replaces one that a dead server of this user left.
  public init(at path: String, mode: mode_t = 0o600) throws(FIFO.OpenError) {
    try self.init(at: UnixPath(path), mode: mode)
  }

  deinit {
    current.fifo.removeIfOurs()
    for generation in retired { _ = generation.letLateReadersIn() }
  }

  /// Waits for readers and serves those that opened together, usually one.
  ///
  /// That a reader leaves early is no failure.
  ///
  /// - Parameter interruption: a descriptor that ends the waiting when it becomes readable, such as a `SignalQueue`'s.
  /// - Parameter patience: how long one that reads slowly, or not, may keep the next ones waiting.
  /// - Parameter text: makes the text for one reader.
  /// - Returns: how many texts were written whole; 0 at the deadline or the interruption, and when a reader left before.
  /// - Throws: `FIFO.OpenError.replaced` when something else was put in the FIFO's place, which stays there; what `text`
  ///   throws.
  public mutating func serve(
    until deadline: Deadline = .never, interruptedBy interruption: CInt? = nil, patience: Duration = .seconds(10),
    _ text: () throws -> [UInt8]
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
      let wake = min(deadline, retired.map(\.nextLook).min() ?? .never)
      switch watch.descriptor.waitUntilReadable(or: interruption, until: wake) {
      case .itself: continue
      case .other: return 0
      case .neither: if deadline.isExpired { return 0 }
      }
    }
    let served = current
    let fresh = try FIFOGeneration(beside: path, mode: mode, announcedBy: watch, counter)
    do throws(FIFO.OpenError) { try fresh.fifo.takePlace(of: served.fifo) } catch {
      fresh.fifo.removeIfOurs()
      throw error
    }
    current = fresh
    defer { retire(served) }
    return try deliver(to: served, patience, text)
  }

  private func deliver(to generation: FIFOGeneration, _ patience: Duration, _ text: () throws -> [UInt8]) throws -> Int
  {
    // Count readers that opened at the same moment before writing the first text.
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
      if shortly.hasPassed || deadline.isExpired { return }
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
    generation.nextLook = Deadline(after: .milliseconds(50))
    generation.isLookedAtAgain = true
    retired.append(generation)
  }

  /// The next one of the FIFOs that stood here before that has been opened since, by who had looked up the path before
  /// and got the processor late.
  private mutating func lateReaders() -> FIFOGeneration? {
    while let index = retired.firstIndex(where: { $0.nextLook.hasPassed }) {
      let generation = retired[index]
      takeOpenings(of: generation)
      retired.remove(at: index)
      if generation.letLateReadersIn() {
        pause(.milliseconds(1))
        takeOpenings(of: generation)
        if generation.openings > 0 { return generation }
      }
      generation.close()
      // Each keeps descriptors, of which there are not many.
      if generation.isLookedAtAgain, retired.count < 100 {
        generation.nextLook = Deadline(after: .seconds(2))
        generation.isLookedAtAgain = false
        retired.append(generation)
      } else {
        generation.forget(watch, counter)
      }
    }
    return nil
  }
}
