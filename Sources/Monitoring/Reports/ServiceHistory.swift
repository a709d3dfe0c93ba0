import CSharedLayouts

/// How many connections a service accepts a second.
public struct Rates: Hashable, Sendable {
  /// In the last whole second.
  public var second: Double
  /// On average over the last minute.
  public var minute: Double
  /// On average over the last 15 minutes, or since begatd started if that is later.
  public var quarterHour: Double

  public init(second: Double = 0, minute: Double = 0, quarterHour: Double = 0) {
    self.second = second
    self.minute = minute
    self.quarterHour = quarterHour
  }
}

/// How long ended connections had lasted.
public struct DurationHistogram: Hashable, Sendable {
  /// The upper ends of the buckets; one more bucket is for longer connections.
  public static let bounds: [Duration] = (0..<UInt32(BEGAT_DURATION_BOUNDS)).map {
    .nanoseconds(begat_duration_bound($0))
  }

  /// The ended connections of each bucket, not cumulated: one count more than there are bounds.
  public var counts: [UInt64]
  /// The durations of all ended connections together.
  public var sum: Duration

  public init(
    counts: [UInt64] = Array(repeating: 0, count: DurationHistogram.bounds.count + 1), sum: Duration = .zero
  ) {
    self.counts = counts
    self.sum = sum
  }
}

/// How many connections ended in one way.
public struct OutcomeCount: Hashable, Sendable {
  /// One of `Outcome.words`, such as `client-closed`.
  public var outcome: String
  public var count: UInt64

  public init(_ outcome: String, _ count: UInt64) {
    self.outcome = outcome
    self.count = count
  }
}
