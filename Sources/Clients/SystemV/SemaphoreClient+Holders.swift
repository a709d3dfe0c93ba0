@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A lock that several may hold at a time: a set of three semaphores, the places that are free, how many places there are,
/// and how many of them were taken without a command.
///
/// A place that a command holds is given back by the kernel at the command's end.  If `begat sem give` gave it back too,
/// one more than allowed would hold the lock from then on.
///
/// A lock of one holder is a semaphore of its own kind, 0 free and 1 taken, as perlipc's programs have it.
extension SemaphoreClient {
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// The semaphores of a lock of several holders.
  private static let freePlaces = 0, allPlaces = 1, givenByHand = 2

  /// The values of a new set.
  var freeValues: [UInt16] {
    holders == 1 ? [UInt16](repeating: 0, count: index + 1) : [holders, holders, 0]
  }

  /// Refuses a set that counts in another way, in which a lock would keep no process out.
  func checkHolders(of set: SemaphoreSet) throws {
    // Another semaphore than the first is of a set that the user has made.
    guard index == 0 else { return }
    let places = set.count == 3 ? try set.value(Self.allPlaces) : 0
    if holders > 1, places <= 1 {
      let name = try key.key()
      throw Refusal(
        description: "\(name) is no lock of several holders: use another key, or remove it (begat sem remove \(name))")
    }
    if places > 1, places != Int(holders) {
      throw Refusal(description: "\(try key.key()) is a lock of \(places) holders: write --holders \(places)")
    }
  }

  func takeNow(_ set: SemaphoreSet, undo: SemaphoreSet.Undo) throws(SystemCallError) -> Bool {
    if holders == 1 { return try set.tryTake(index, undo: undo) }
    do throws(SystemCallError) { try set.perform(operations(undo, .nonBlocking)) } catch {
      if error.code == .wouldBlock { return false }
      throw error
    }
    return true
  }

  func awaitPlace(
    _ set: SemaphoreSet, undo: SemaphoreSet.Undo, until deadline: Deadline
  ) throws(SystemCallError) {
    if holders == 1 {
      try set.take(index, undo: undo, until: deadline)
    } else {
      try set.perform(operations(undo), until: deadline)
    }
  }

  /// - Throws: `EAGAIN` if none is taken that may be given.
  func givePlace(of set: SemaphoreSet) throws(SystemCallError) {
    if holders == 1 { return try set.give(index, undo: .never) }
    try set.perform([.init(Self.givenByHand, add: -1, .nonBlocking), .init(Self.freePlaces, add: 1, .nonBlocking)])
  }

  /// Those that take a place.
  private func operations(
    _ undo: SemaphoreSet.Undo, _ options: SemaphoreSet.Operation.Options = []
  ) -> [SemaphoreSet.Operation] {
    let taking = SemaphoreSet.Operation(Self.freePlaces, add: -1, undo.options.union(options))
    return switch undo {
    case .atExit: [taking]
    case .never: [taking, .init(Self.givenByHand, add: 1, options)]
    }
  }
}
