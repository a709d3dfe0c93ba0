/// Which askers a reload answers: one runs, and those who ask meanwhile get the one after it, together.
///
/// The second is needed, because the files may have changed after the first has read them; a third never is.
struct ReloadQueue<Asker> {
  /// A reload starts no sooner than so long after the one before, in nanoseconds: a storm of signals costs little.
  static var interval: Int64 { 250_000_000 }

  /// Those that the running reload answers; nil while none runs.
  private(set) var running: [Asker]?
  /// Those that the next one answers; nil if none is wanted.
  private(set) var pending: [Asker]?
  private var lastStart: Int64?
  /// Whether one of the pending ones changes something.
  private var isSpaced = false

  /// Asks for a reload.
  ///
  /// - Parameter asker: nil for a signal, which takes no answer.
  /// - Parameter isSpaced: whether it keeps the distance to the one before; one that changes nothing need not.
  mutating func ask(_ asker: Asker?, isSpaced: Bool = true) {
    pending = (pending ?? []) + [asker].compactMap { $0 }
    if isSpaced { self.isSpaced = true }
  }

  /// When the next reload is to be started, CLOCK_MONOTONIC nanoseconds; nil if none is wanted, or one still runs.
  var startTime: Int64? {
    guard pending != nil, running == nil else { return nil }
    return isSpaced ? lastStart.map { $0 + Self.interval } ?? 0 : 0
  }

  /// Begins the reload that is wanted.
  mutating func start(at now: Int64) {
    running = pending
    pending = nil
    if isSpaced { lastStart = now }
    isSpaced = false
  }

  /// Ends the one that runs.
  ///
  /// - Returns: those that it answers.
  mutating func finish() -> [Asker] {
    defer { running = nil }
    return running ?? []
  }
}
