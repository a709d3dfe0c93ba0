@_spi(Begat) import UnixCore

/// When the connections of an open loop are to begin: at times fixed beforehand, whatever becomes of those before.
///
/// A connection's latency counts from this time, also if it begins later.  A server that pauses is then seen with the
/// delay of each client that would have come meanwhile, instead of that of the few that wait for it (coordinated
/// omission).
struct LoadPace {
  /// Nanoseconds from one connection to the next.
  let interval: Int64
  private var next: Int64

  init(rate: Double, start: Int64) {
    interval = max(1, Int64((1e9 / rate).rounded()))
    next = start + interval
  }

  /// The interval of the ticks that announce the connections; above 20,000 a second, several begin at one tick.
  var tick: Duration { .nanoseconds(max(interval, 50_000)) }

  /// When the next connection is due.
  var nextTime: Int64 { next }

  /// The time of the next connection, if that has come; the one after it is then the next.
  mutating func takeDue(at now: Int64) -> Int64? {
    guard next <= now else { return nil }
    defer { next += interval }
    return next
  }

  /// Gives up the connections that are due before an instant, and returns how many those are.
  mutating func dropDue(before instant: Int64) -> Int {
    guard next < instant else { return 0 }
    let count = (instant - next - 1) / interval + 1
    next += count * interval
    return Int(count)
  }
}
