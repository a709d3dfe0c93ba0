@_spi(Begat) import UnixCore

/// How often something may happen: so many times in an interval, and how many at once.
///
/// As text `50/s`, `20/m`, `100/h burst 10`.
public struct RateLimit: Hashable, Sendable {
  /// The largest count and the largest burst.
  public static let largestCount = 1_000_000
  private static let units: [(suffix: String, nanoseconds: Int64)] = [
    ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
  ]

  /// How many may come in an interval.
  public let count: Int
  /// One second, minute, hour or day.
  public let interval: Duration
  /// The largest burst after a pause; a quarter of the count by default.
  public let burst: Int

  /// Reads a rate; nil for a text that is not one.
  public init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard let rate = words.first?.split(separator: "/", omittingEmptySubsequences: false), rate.count == 2,
      let count = Int(decimal: rate[0]), (1...RateLimit.largestCount).contains(count),
      let unit = RateLimit.units.first(where: { $0.suffix == rate[1] })
    else { return nil }
    var burst = RateLimit.defaultBurst(count)
    if words.count == 3, words[1] == "burst", let number = Int(decimal: words[2]) {
      burst = number
    } else if words.count != 1 {
      return nil
    }
    // Reject a bucket that takes more than ten years to fill: later arithmetic must not overflow.
    let (fillTime, overflow) = (unit.nanoseconds / Int64(count)).multipliedReportingOverflow(by: Int64(burst))
    guard (1...RateLimit.largestCount).contains(burst), !overflow, fillTime <= 315_360_000_000_000_000 else {
      return nil
    }
    self.init(count: count, interval: .nanoseconds(unit.nanoseconds), burst: burst)
  }

  init(count: Int, interval: Duration, burst: Int) {
    self.count = count
    self.interval = interval
    self.burst = burst
  }

  /// Default limit for starts of a program that accepts its clients itself.
  public static let starts = RateLimit(count: 50, interval: .seconds(1), burst: 50)
  /// Default limit for connections that have a line of their own in the log: a service manager's journal takes so many.
  public static let records = RateLimit(count: 200, interval: .seconds(1), burst: 200)
  /// Default limit for datagrams answered per source.
  public static let datagramsPerSource = RateLimit(count: 10, interval: .seconds(1), burst: defaultBurst(10))
  /// Default limit for datagrams answered in all.
  public static let datagrams = RateLimit(count: 1000, interval: .seconds(1), burst: defaultBurst(1000))

  private static func defaultBurst(_ count: Int) -> Int { max(1, count / 4) }
}

extension RateLimit: CustomStringConvertible {
  /// The text that `init(_:)` reads as this rate.
  public var description: String {
    let unit = RateLimit.units.first { .nanoseconds($0.nanoseconds) == interval }?.suffix ?? "s"
    return "\(count)/\(unit)" + (burst == RateLimit.defaultBurst(count) ? "" : " burst \(burst)")
  }
}

/// A rate limit in use: a bucket of tokens whose whole state is one instant, the one when it is full again.
///
/// Source: ITU-T I.371, the generic cell rate algorithm.
public struct TokenBucket: Sendable {
  /// The state of a bucket from which no token was taken yet.
  public static let untouched = Deadline.immediate

  /// Nanoseconds until the next token: each client is reckoned with them, and a `Duration` takes divisions.
  private let spacing: Int64
  /// How far in the future "full again" may lie for another token to be left.
  private let tolerance: Int64

  /// Makes the bucket of a limit.
  public init(_ limit: RateLimit) {
    let (seconds, attoseconds) = limit.interval.components
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    spacing = nanoseconds / Int64(limit.count)
    tolerance = spacing * Int64(limit.burst - 1)
  }

  // Sums wrap around: the state may come from memory that another process has spoiled.

  /// When the next token is there; a time that has passed means now.
  public func nextTime(fullAt: Deadline) -> Deadline { Deadline(instant: fullAt.instant &- tolerance) }

  /// When the bucket is full again after a token was taken.
  public func taking(fullAt: Deadline, now: Deadline) -> Deadline {
    Deadline(instant: max(fullAt.instant, now.instant) &+ spacing)
  }

  /// The state that a bucket of this limit has if it had another state under an earlier limit: empty at most.
  public func adopting(fullAt: Deadline, now: Deadline) -> Deadline {
    min(fullAt, Deadline(instant: now.instant &+ tolerance &+ spacing))
  }
}
