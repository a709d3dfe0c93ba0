import Glibc

/// The one timer of a process: when it expires, SIGALRM comes, whose default action ends the process.
///
/// For a process that serves one connection: a limit costs it one call and no handler.
///
/// Source: setitimer(2).
@_spi(Begat) public enum Alarm {
  /// Sets the timer, replacing what was set.  A duration of zero or less expires immediately.
  public static func set(after duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let microseconds = max(seconds > 0 ? 0 : 1, attoseconds / 1_000_000_000_000)
    arm(seconds: Int(max(0, seconds)), microseconds: Int(microseconds))
  }

  /// Stops the timer.
  public static func cancel() { arm(seconds: 0, microseconds: 0) }

  private static func arm(seconds: Int, microseconds: Int) {
    var timer = itimerval()
    timer.it_value.tv_sec = seconds
    timer.it_value.tv_usec = microseconds
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }
}
