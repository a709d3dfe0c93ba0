@_spi(Begat) import UnixCore

/// The spares of a listener: how many there are to be, and whether they or the listener accept clients.
struct SparePool: ~Copyable {
  var memory: SpareMemory
  var demand: SpareDemand
  /// Whether the listener has left accepting to the spares.
  var isOpen = false
  /// Until when the listener accepts itself, after a client that a spare could not serve.
  var reopenTime = Deadline.immediate
  /// When spares may be made again after they could not be, or after several have died before they had a client.
  var retryTime = Deadline.immediate
  private var deathsInVain = 0
  private var delay = SparePool.shortestDelay

  /// Clients that must wait or are refused are likely to be followed by others.
  private static let calmTime: Duration = .seconds(1)
  private static let mostDeathsInVain = 3
  private static let shortestDelay: Duration = .seconds(1)
  private static let longestDelay: Duration = .seconds(60)

  /// - Parameter limit: 0 for a service without spares.  There are none where descriptors or memory are short.
  init(upTo limit: Int) throws(SystemCallError) {
    var memory = try SpareMemory(capacity: 0)
    do throws(SystemCallError) { memory = try SpareMemory(capacity: limit) } catch {
      guard error.code.isResourceExhaustion else { throw error }
    }
    demand = SpareDemand(limit: memory.capacity)
    self.memory = memory
  }

  /// Whether the service may have spares at all.
  var areUsed: Bool { memory.capacity > 0 }

  /// When there is something to do that no descriptor announces.
  ///
  /// - Parameter mayOpen: whether nothing but time keeps the spares from accepting.
  func due(mayOpen: Bool) -> Deadline {
    guard areUsed, memory.isUsable, demand.target > 0 else { return .never }
    // Without a spare, the next client is the listener's, and causes a turn.
    return !isOpen && mayOpen && memory.waiting > 0 ? min(demand.due, reopenTime) : demand.due
  }

  /// Notes a client that spares could not serve, or would not have been able to.
  mutating func noteTrouble() { if areUsed { reopenTime = Deadline(after: SparePool.calmTime) } }

  /// Notes that a spare has served a client.
  mutating func noteSuccess() {
    deathsInVain = 0
    delay = SparePool.shortestDelay
  }

  /// Notes that a spare could not be made.
  mutating func noteFailedFork() { retryTime = Deadline(after: SparePool.shortestDelay) }

  /// Notes that a spare has died before it had a client.
  ///
  /// - Returns: for how long no more are made, where that is worth a line.
  mutating func noteDeath() -> Duration? {
    deathsInVain += 1
    guard deathsInVain >= SparePool.mostDeathsInVain else { return nil }
    deathsInVain = 0
    defer { delay = min(delay * 2, SparePool.longestDelay) }
    retryTime = Deadline(after: delay)
    return delay
  }
}
