/// When something that failed is tried again: later and later, and reported once until the failure changes or ends.
struct Retry {
  private let shortest: Int64
  private let longest: Int64
  private var reported: String?
  private var delay: Int64 = 0
  private var attempts = 0

  /// - Parameter shortest: the first delay, in nanoseconds; each further one is twice as long.
  init(shortest: Int64 = 1_000_000_000, longest: Int64 = 30_000_000_000) {
    self.shortest = shortest
    self.longest = longest
  }

  /// For starts of listeners, whose clients wait.
  static let ofListeners = Retry(shortest: 100_000_000)

  /// Counts a failure.
  ///
  /// - Returns: nanoseconds to wait, and whether this failure is another one than the last, so worth a line.
  mutating func failed(_ failure: String) -> (delay: Int64, isNews: Bool) {
    delay = min(max(2 * delay, shortest), longest)
    attempts += 1
    defer { reported = failure }
    return (delay, reported != failure)
  }

  /// Begins anew.
  ///
  /// - Returns: how many attempts had failed.
  mutating func succeeded() -> Int {
    defer { self = Retry(shortest: shortest, longest: longest) }
    return attempts
  }
}
