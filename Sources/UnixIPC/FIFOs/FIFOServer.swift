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
    let fresh: FIFOGeneration
    var left: FIFOGeneration?
    let old = try FIFO.makeOrAdopt(at: path, mode: mode)
    fresh = try FIFOGeneration(beside: path, mode: mode, announcedBy: watch)
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
    self.left = left
    current = fresh
  }

  deinit {
    current.fifo.removeIfOurs()
    for generation in retired { generation.letLateReadersGo() }
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
      inherited.openings = 1
      defer { retire(inherited) }
      return try deliver(to: inherited, patience, text)
    }
    while true {
      takeOpenings(of: current)
      letLateReadersGo()
      if current.openings > 0 || !current.fifo.isInPlace { break }
      let wake = min(deadline, retired.first?.lastLook ?? .never)
      if !watch.descriptor.wait(for: .readable, until: wake), deadline.hasPassed { return 0 }
    }
    let served = current
    let fresh = try FIFOGeneration(beside: path, mode: mode, announcedBy: watch)
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
    // Who opens at the same time shall be counted, and wait for a text, before the first one is written: the kernel lets
    // them read in turn, and who has read one waits behind the others then.
    settle()
    takeOpenings(of: generation)
    var served = 0
    var written = 0
    while written < generation.openings, generation.hasReader {
      let deadline = Deadline(after: patience)
      if written > 0 { settle() }
      if generation.write(try text(), until: deadline) { served += 1 }
      written += 1
      takeOpenings(of: generation)
      // Also after the last one: closing wakes all of them at once, and one that has had its text might take another's.
      while generation.openings > 1, !generation.isDrained,
        watch.descriptor.wait(for: .readable, until: deadline)
      {
        takeOpenings(of: generation)
      }
    }
    return served
  }

  private func settle() {
    var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
    nanosleep(&pause, nil)
  }

  /// Counts who has opened this generation or the one that stands at the path meanwhile.
  private func takeOpenings(of generation: FIFOGeneration) {
    watch.take { file, events in
      guard events & UInt32(IN_OPEN) != 0 else { return }
      if file == generation.watch {
        generation.openings += 1
      } else if file == current.watch {
        current.openings += 1
      }
    }
  }

  private mutating func retire(_ generation: FIFOGeneration) {
    generation.close(watch)
    generation.lastLook = Deadline(after: .milliseconds(50))
    retired.append(generation)
  }

  private mutating func letLateReadersGo() {
    while let first = retired.first, first.lastLook.hasPassed {
      first.letLateReadersGo()
      retired.removeFirst()
    }
  }
}
