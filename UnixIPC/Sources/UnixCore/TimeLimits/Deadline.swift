/// The instant until which something may take, on a clock that is never set.
///
/// One deadline bounds many waits together, where a limit for each would start again with every piece.
///
/// Source: clock_gettime(2), CLOCK_MONOTONIC.
public struct Deadline: Comparable, Hashable, Sendable {
  /// Nanoseconds, as `SystemClock.monotonic` counts them.
  public let instant: Int64

  public init(instant: Int64) { self.instant = instant }

  /// So much later than now; `never` where there is no limit.
  public init(after limit: Duration?) {
    guard let limit else {
      self = .never
      return
    }
    // A limit is cut to 146 years, so the sum of both fits.
    instant = SystemClock.monotonic() + limit.nanoseconds
  }

  /// Waits for ever.
  public static let never = Deadline(instant: .max)

  public var hasPassed: Bool { self != .never && instant <= SystemClock.monotonic() }

  /// Whether it or one of `withDeadline` has passed: for loops that a busy peer keeps from ever waiting.
  package var isOver: Bool { min(self, .ofThread).hasPassed }

  /// What is left, zero when it has passed; nil for `never`.
  public var left: Duration? { self == .never ? nil : .nanoseconds(max(0, max(0, instant) - SystemClock.monotonic())) }

  /// What is left as poll(2) takes it, rounded up so that nobody wakes just before; -1 for `never`.
  public var milliseconds: CInt {
    guard let left else { return -1 }
    return CInt(clamping: (left.nanoseconds + 999_999) / 1_000_000)
  }

  public static func < (one: Deadline, other: Deadline) -> Bool { one.instant < other.instant }
}
