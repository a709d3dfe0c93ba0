import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Gives each reader of a path a fresh text: perlipc's `.signature` server.
///
/// A reader opens the FIFO, reads one text and then the end of the file.  As soon as it has opened the FIFO, another FIFO
/// is at the path: the next reader gets that one, and does not wait for the one before.
///
/// The server guarantees that each reader gets exactly one whole text.  The text for a reader that comes alone may have
/// any length.  Readers that open within the same fraction of a millisecond share a FIFO: they are counted, and a text is
/// written for each when all of them sleep in read(2); the kernel gives it to the one that has waited longest.  For these
/// a text has at most 4,096 bytes (`PIPE_BUF`), and is taken by one read.  Nothing is ever written into another file.
///
/// For readers that share a FIFO, this depends on what /proc shows of them: the server sees processes of its own user, or
/// all as root.  It is not certain for readers that are hidden (another user's, in a sandbox), that wait by poll(2),
/// splice(2) or 32-bit calls, or that do something else for 30 milliseconds before they read; nor for a reader that the
/// kernel keeps for a tenth of a second from completing its open(2): it may find the end of the file immediately.
///
/// Source: fifo(7), pipe(7), inotify(7), fanotify(7), proc(5), renameat2(2).
public struct FIFOServer: ~Copyable, @unchecked Sendable {
  /// The path that readers open.
  public let path: UnixPath
  // The generations are objects that nothing but this value refers to: that makes it Sendable.
  private let mode: mode_t
  private let lock: ServerLock
  private let watch: FileWatch
  private let counter: OpeningCounter
  private var current: FIFOGeneration
  private var left: FIFOGeneration?
  private var retired: [FIFOGeneration] = []

  /// Makes the FIFO, or replaces one that a dead server of this user left.
  ///
  /// - Parameter path: in a directory where no other user can replace files.
  /// - Parameter mode: the FIFO's permissions, whatever the umask is.
  /// - Throws: ``FIFO/OpenError``; a file at the path that is no FIFO of this user stays as it is.
  public init(at path: UnixPath, mode: mode_t = 0o600) throws(FIFO.OpenError) {
    let lock = try ServerLock(beside: path)
    let watch = try opening { () throws(SystemCallError) in try FileWatch() }
    // Openings that follow each other directly are announced as one.  The directory's stand between those of the FIFO.
    _ = try opening { () throws(SystemCallError) in
      try FIFO.named(path) { () throws(SystemCallError) in
        try watch.add(path.parent, IN_OPEN | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
      }
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
  /// A reader that leaves early is no failure.
  ///
  /// - Parameter deadline: ends the wait for a reader.
  /// - Parameter cancellation: ends the wait for a reader when it is cancelled.
  /// - Parameter gracePeriod: how long a reader that reads slowly, or not at all, may keep the next ones waiting.
  /// - Parameter text: makes the text for one reader.
  /// - Returns: how many texts were written whole; 0 at the deadline, when the wait is cancelled, and if the reader left
  ///   before.
  /// - Throws: ``FIFO/OpenError/replaced(_:)`` if another file was put in the FIFO's place, which stays there; the error of
  ///   `text`.
  @discardableResult
  public mutating func serve(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil,
    gracePeriod: Duration = .seconds(10),
    _ text: () throws -> [UInt8]
  ) throws -> Int {
    if let inherited = left {
      left = nil
      defer { retire(inherited) }
      return try deliver(to: inherited, gracePeriod, text)
    }
    while true {
      takeOpenings(of: current)
      if let late = lateReaders() {
        defer { retire(late) }
        return try deliver(to: late, gracePeriod, text)
      }
      if current.openings > 0 || !current.fifo.isInPlace { break }
      let wake = min(deadline, retired.map(\.nextLook).min() ?? .never)
      switch watch.descriptor.waitEnd(for: .readable, until: wake, cancelledBy: cancellation) {
      case .ready: continue
      case .cancelled: return 0
      case .timedOut: if deadline.isExpired { return 0 }
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
    return try deliver(to: served, gracePeriod, text)
  }

  /// Waits for readers and serves those that opened together, each with a text, as the form with bytes does.
  ///
  /// - Parameter deadline: ends the wait for a reader.
  /// - Parameter cancellation: ends the wait for a reader when it is cancelled.
  /// - Parameter gracePeriod: how long a reader that reads slowly, or not at all, may keep the next ones waiting.
  /// - Parameter text: makes the text for one reader.
  /// - Returns: how many texts were written whole.
  @discardableResult @_disfavoredOverload
  public mutating func serve(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil,
    gracePeriod: Duration = .seconds(10),
    _ text: () throws -> String
  ) throws -> Int {
    try serve(until: deadline, cancelledBy: cancellation, gracePeriod: gracePeriod) { Array(try text().utf8) }
  }

  private func deliver(to generation: FIFOGeneration, _ gracePeriod: Duration, _ text: () throws -> [UInt8]) throws
    -> Int
  {
    // Count readers that opened at the same moment before writing the first text.
    SystemClock.sleep(for: .milliseconds(1))
    takeOpenings(of: generation)
    var served = 0
    var written = 0
    while written < generation.openings, generation.hasReader {
      let deadline = Deadline(after: gracePeriod)
      if generation.openings > 1 { awaitReaders(of: generation, until: deadline) }
      if generation.write(try text(), until: deadline) { served += 1 }
      written += 1
      awaitReading(of: generation, until: deadline)
    }
    return served
  }

  /// Waits until an opening is announced: a reader whose open(2) has waited for a writer completes it only when it gets
  /// the processor.
  private func awaitOpening(of generation: FIFOGeneration) {
    let deadline = Deadline(after: .milliseconds(100))
    takeOpenings(of: generation)
    while generation.openings <= 0, generation.hasReader, watch.descriptor.wait(for: .readable, until: deadline) {
      takeOpenings(of: generation)
    }
  }

  /// Waits until all readers sleep in read(2), with nothing to read.
  ///
  /// The kernel gives a text to the reader that has waited longest, and a reader that has read one waits behind the others
  /// again.  But one that runs while another is still on its way to read would take both.
  private func awaitReaders(of generation: FIFOGeneration, until deadline: Deadline) {
    var readers = findReaders(of: generation)
    // Some never read, others are hidden: a longer wait for them would be in vain.
    var shortly = Deadline(after: .milliseconds(30))
    var nap = Duration.microseconds(100)
    while true {
      takeOpenings(of: generation)
      let activity = readers.look(at: generation.fifo)
      let areAllKnown = readers.count >= generation.openings - generation.closings
      if activity == .reads, areAllKnown { return }
      if activity == .runs { shortly = Deadline(after: .milliseconds(30)) }
      if shortly.hasPassed || deadline.isExpired { return }
      SystemClock.sleep(for: nap)
      nap = min(nap * 2, .milliseconds(4))
      if !areAllKnown { readers = findReaders(of: generation) }
    }
  }

  private func findReaders(of generation: FIFOGeneration) -> FIFOReaders {
    // A reader that closes it meanwhile is missed, and not counted twice.
    takeOpenings(of: generation)
    let readers = FIFOReaders(of: generation.fifo)
    if readers.areDistinct { generation.found = max(generation.found, readers.count + generation.closings) }
    return readers
  }

  /// Waits until all that was written was read: closing wakes all readers at once, and one that has had its text might
  /// take another's.  A reader that comes alone and does not read must not keep the next ones waiting for long.
  private func awaitReading(of generation: FIFOGeneration, until deadline: Deadline) {
    let shortly = Deadline(after: .milliseconds(20))
    takeOpenings(of: generation)
    while !generation.isDrained, generation.hasReader,
      watch.descriptor.wait(for: .readable, until: generation.openings > 1 ? deadline : min(shortly, deadline))
    {
      takeOpenings(of: generation)
    }
  }

  /// Counts the openings of all generations so far.
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

  /// The next one of the former FIFOs that was opened since it was replaced, by a process that had looked up the path before
  /// and got the processor late.
  private mutating func lateReaders() -> FIFOGeneration? {
    while let index = retired.firstIndex(where: { $0.nextLook.hasPassed }) {
      let generation = retired[index]
      takeOpenings(of: generation)
      retired.remove(at: index)
      if generation.letLateReadersIn() {
        awaitOpening(of: generation)
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
