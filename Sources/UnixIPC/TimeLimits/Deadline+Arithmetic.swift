extension Deadline {
  /// The present instant: limits are reckoned from it.
  public static var now: Deadline { Deadline(instant: Clock.monotonic()) }

  /// The instant that is so much later, or earlier for a negative duration; `never` stays.
  public func advanced(by duration: Duration) -> Deadline {
    guard self != .never else { return .never }
    let (sum, overflow) = instant.addingReportingOverflow(duration.nanoseconds)
    return overflow ? (instant > 0 ? .never : Deadline(instant: .min)) : Deadline(instant: sum)
  }

  /// How much later the other instant is; negative for an earlier one.  Longer ones than 292 years are cut to that.
  public func duration(to other: Deadline) -> Duration {
    let (difference, overflow) = other.instant.subtractingReportingOverflow(instant)
    return .nanoseconds(overflow ? (other > self ? .max : .min) : difference)
  }
}
