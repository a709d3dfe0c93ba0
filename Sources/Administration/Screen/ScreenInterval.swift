import Glibc

/// The time from one screen to the next.
struct ScreenInterval: Hashable {
  var duration: Duration
  /// Whether a screen that took much processor time delays the next one: so the machine that is looked at
  /// because it is slow does not become slower.
  var isAdaptive = true

  /// A screen may take one part of so many of a processor.
  static let share = 40

  /// - Parameter used: the processor time of the last screen.
  func duration(afterUsing used: Duration) -> Duration {
    isAdaptive ? max(duration, used * ScreenInterval.share) : duration
  }

  /// The processor time that this process has used so far.
  ///
  /// Source: clock_gettime(2), CLOCK_PROCESS_CPUTIME_ID.
  static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
