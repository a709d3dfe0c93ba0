@_spi(Begat) import UnixCore

/// How many spares a service needs: none until its first client, then as many as were used at the same time during the
/// last minute.
struct SpareDemand {
  /// The maximum number of spares.
  let limit: Int
  /// How many should wait.
  private(set) var target = 0
  /// How many were used since the listener last made some.
  private var used = 0
  /// The most that were used up between two times that the listener made some: in this period, and in the last one.
  private var peak = 0
  private var formerPeak = 0
  private var periodEnd = Deadline.never

  /// The last two periods are looked at: up to a minute.
  private static let period: Duration = .seconds(30)
  private static let first = 2

  init(limit: Int) { self.limit = limit }

  /// When `advance` has something to do.
  var due: Deadline { periodEnd }

  /// The number at which the listener makes some more: several forks in one turn.
  var lowWater: Int { target / 4 }

  /// Notes a client, served by a spare or by the listener.
  mutating func noteClient(bySpare: Bool, now: Deadline) {
    if bySpare { used += 1 }
    peak = max(peak, used, 1)
    guard target == 0, limit > 0 else { return }
    target = min(limit, SpareDemand.first)
    periodEnd = now.advanced(by: SpareDemand.period)
  }

  /// Notes that the listener makes some.
  ///
  /// - Parameter waiting: how many there were still.
  mutating func noteRefill(waiting: Int) {
    // More clients came than there were spares, and nothing says how many more.
    if waiting == 0, used > 0 { target = min(limit, 2 * target) }
    used = 0
  }

  /// Forgets what is too long ago.
  ///
  /// - Returns: whether a period has ended.
  @discardableResult
  mutating func advance(_ now: Deadline) -> Bool {
    guard periodEnd <= now else { return false }
    let needed = max(peak, formerPeak)
    target = min(target, 2 * needed)
    formerPeak = peak
    peak = 0
    periodEnd = target == 0 ? .never : now.advanced(by: SpareDemand.period)
    return true
  }
}
