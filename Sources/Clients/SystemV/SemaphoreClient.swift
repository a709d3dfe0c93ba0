import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat sem`: a semaphore as a lock, for scripts.
public struct SemaphoreClient: Sendable {
  public var key: KeyName
  /// Which of the set's.
  public var index: Int
  /// Whether a set that another user made is trusted.
  public var trustsAnybody: Bool
  /// How many may hold the lock at a time.
  public var holders: UInt16 = 1

  static let command = CommandRun(command: "begat sem")
  var command: CommandRun { Self.command }

  public init(key: KeyName, index: Int = 0, trustsAnybody: Bool = false) {
    self.key = key
    self.index = index
    self.trustsAnybody = trustsAnybody
  }

  /// Makes the key's set and prints its identifier.
  ///
  /// - Returns: whether it made one.
  public func create(values: [UInt16], mode: mode_t) -> Bool {
    command.attempt(failure: false) {
      let set = try SemaphoreSet.create(try key.key(), values: values, mode: mode)
      do { try StandardStream.output.write("\(set.identifier)\n") } catch {
        // No process has learned of it.
        try? set.remove()
        throw error
      }
      return true
    }
  }

  /// Gives back a lock that another process may have taken; nothing is undone later.
  ///
  /// - Returns: whether it was taken.
  public func give() -> Bool {
    command.attempt(failure: false) {
      let set = try open()
      try checkHolders(of: set)
      do throws(SystemCallError) { try givePlace(of: set) } catch {
        guard error.code == .wouldBlock else { throw error }
        let place = holders == 1 ? "is not taken" : "has no place that was taken without a command"
        command.complain("\(try key.key()) \(place)")
        return false
      }
      return true
    }
  }

  /// - Returns: whether there was one and it is gone.
  public func remove() -> Bool {
    command.attempt(failure: false) {
      try look().remove()
      return true
    }
  }

  /// Prints what the set is and who waits.
  public func show(json: Bool) -> Bool {
    command.attempt(failure: false) {
      let report = try SemaphoreReport(of: look())
      try StandardStream.output.write(json ? report.json : report.table)
      return true
    }
  }

  /// Prints all sets of this machine.
  public static func list(json: Bool) -> Bool {
    command.attempt(failure: false) {
      let list = SemaphoreSetList(sets: try SemaphoreSet.all())
      try StandardStream.output.write(json ? list.json : list.table)
      return true
    }
  }

  /// The set, to be changed.
  func open() throws(SystemCallError) -> SemaphoreSet {
    let key = try key.key()
    let creator = trustsAnybody ? nil : geteuid()
    do throws(SystemCallError) {
      // Also for a caller that does not wait: before its maker has given it values, a set may look free and be taken.
      return try .open(key, owner: creator, until: Deadline(after: .seconds(1)))
    } catch {
      guard error.code == .timedOut else { throw error }
      // Made by a program that gives no values, as perlipc's do: they are 0, and no process has taken one yet.
      return try .open(key, owner: creator, awaitsValues: false)
    }
  }

  /// The set, to be looked at: the kernel decides which users may.
  private func look() throws(SystemCallError) -> SemaphoreSet {
    try .open(try key.key(), owner: nil, awaitsValues: false)
  }
}
