import CPlatform

/// The instant until which an operation may take, on a clock that is never set.
///
/// One deadline bounds many waits together, where a limit for each of them would start again with every piece.
///
/// A deadline of ``withDeadline(_:_:)`` bounds every other one of its thread: inside its body, `isExpired` and `remaining`
/// answer for whichever comes first.  A loop over `isExpired` therefore ends at both.
///
/// Source: clock_gettime(2), CLOCK_MONOTONIC.
public struct Deadline: Comparable, Hashable, Sendable {
  /// Nanoseconds, as `SystemClock.monotonic` counts them.
  @_spi(Begat) public let instant: Int64

  /// The deadline at an instant of `SystemClock.monotonic`.
  @_spi(Begat) public init(instant: Int64) { self.instant = instant }

  /// The deadline that is this much later than now.
  ///
  /// A duration of zero or less has passed immediately; one of more than 146 years counts as 146 years.
  public init(after limit: Duration) {
    // The limit is cut, so the sum of both fits.
    instant = SystemClock.monotonic() + limit.nanoseconds
  }

  /// The deadline that never passes: a wait until it has no limit.
  public static let never = Deadline(instant: .max)

  /// A deadline in the past: a wait until it takes what is there and does not block.
  public static let immediate = Deadline(instant: 0)

  /// The nearest deadline of ``withDeadline(_:_:)`` that the calling thread is in; `never` outside of all of them.
  public static var current: Deadline { Deadline(instant: platform_thread_deadline()) }

  /// Whether it, or `current`, has passed.
  public var isExpired: Bool { min(self, .current).hasPassed }

  /// Whether the instant itself has passed, whatever `current` is: for what is due at a time, and for cleaning up after a
  /// deadline of the thread.
  @_spi(Begat) public var hasPassed: Bool { self != .never && instant <= SystemClock.monotonic() }

  /// The time until it or `current`, whichever is nearer: zero when that has passed, nil when both are `never`.
  public var remaining: Duration? {
    let nearest = min(self, .current)
    return nearest == .never ? nil : .nanoseconds(max(0, max(0, nearest.instant) - SystemClock.monotonic()))
  }

  /// `remaining` as poll(2) takes it, rounded up so that no wait ends just before the deadline; -1 for no limit.
  @_spi(Begat) public var milliseconds: CInt {
    let nearest = min(self, .current)
    guard nearest != .never else { return -1 }
    // In 64 bits: every wait comes here, and a process that was just forked pays for each page of 128-bit arithmetic.
    let left = max(0, max(0, nearest.instant) - SystemClock.monotonic())
    return CInt(clamping: left / 1_000_000 + (left % 1_000_000 > 0 ? 1 : 0))
  }

  /// Whether one deadline passes before another, without regard to `current`.
  public static func < (one: Deadline, other: Deadline) -> Bool { one.instant < other.instant }
}
