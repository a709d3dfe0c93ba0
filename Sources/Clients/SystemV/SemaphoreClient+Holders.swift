@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A lock that several may hold at a time: a set of two semaphores, the places that are free and how many there are.
///
/// A lock of one holder is a semaphore of its own kind, 0 free and 1 taken, as perlipc's programs have it.
extension SemaphoreClient {
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// The values of a new set.
  var freeValues: [UInt16] {
    holders == 1 ? [UInt16](repeating: 0, count: index + 1) : [holders, holders]
  }

  /// Refuses a set that counts in another way, in which a lock would keep no process out.
  func checkHolders(of set: SemaphoreSet) throws {
    let places = set.count == 2 ? try set.value(1) : 1
    if places <= 1, holders > 1 {
      throw Refusal(description: "\(try key.key()) is a lock of one holder: leave --holders out, or use another key")
    }
    if places > 1, places != Int(holders) {
      throw Refusal(description: "\(try key.key()) is a lock of \(places) holders: write --holders \(places)")
    }
  }

  func takeNow(_ set: SemaphoreSet, undo: SemaphoreSet.Undo) throws(SystemCallError) -> Bool {
    if holders == 1 { return try set.tryTake(index, undo: undo) }
    do throws(SystemCallError) { try set.perform([.init(index, add: -1, undo.options.union(.nonBlocking))]) } catch {
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
      try set.wait(index, undo: undo, until: deadline)
    }
  }
}
