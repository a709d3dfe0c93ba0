import Glibc
@_spi(Begat) import UnixCore

/// The moment until which something is waited for.
struct Deadline {
  private let time: Int64

  init(within limit: Duration) { time = SystemClock.monotonic() + limit.milliseconds * 1_000_000 }

  var hasPassed: Bool { SystemClock.monotonic() >= time }

  /// What is left, rounded up, as poll(2) takes it.
  var milliseconds: CInt { CInt(clamping: max(0, time - SystemClock.monotonic() + 999_999) / 1_000_000) }
}

extension Duration {
  var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// The time since it was made.
struct Stopwatch {
  private let start = SystemClock.monotonic()
  var elapsed: Duration { .nanoseconds(SystemClock.monotonic() - start) }
}

/// Looks again and again at what no descriptor announces, until it holds; false when the time is over.
func eventually(within limit: Duration = .seconds(5), _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = Deadline(within: limit)
  while !(try condition()) {
    if deadline.hasPassed { return false }
    _ = poll(nil, 0, 5)
  }
  return true
}
