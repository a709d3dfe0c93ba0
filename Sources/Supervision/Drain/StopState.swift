/// How far begatd is with its own stop: the announcement, the drain of all services, and the end of what is left.
///
/// Instants are CLOCK_MONOTONIC, durations and instants in nanoseconds.
struct StopState: Hashable {
  /// The things to be done next.
  enum Step: Hashable {
    /// Say that begatd will stop; clients are accepted until this instant.
    case announce(until: Int64)
    /// Accept no more clients; open connections may go on.
    case drain
    /// Leave no more time to the clients that wait at sockets of listeners that begatd leaves to themselves.
    case closeSockets
    /// End everything.
    case end
    /// Kill the listeners that are left.
    case kill
  }

  private enum Phase: Hashable {
    case running
    case announcing(until: Int64)
    case draining
    case ending
  }

  private var phase = Phase.running
  /// When the sockets are closed that listeners still have whose end begatd does not wait for; nil if it waits, or if
  /// that was ordered.
  private var closeTime: Int64?
  private var leavesListeners = false
  /// When the listeners that are left are killed; nil as long as clients are accepted.
  private(set) var killTime: Int64?
  /// When the service manager is to be told that the stop takes longer; nil if it is not.
  private(set) var extensionTime: Int64?

  /// Listeners keep the drain's time themselves, and give programs five seconds more; this is for one that does not.
  static let grace: Int64 = 8_000_000_000
  /// After a second signal, what listeners do not end immediately, because they are stopped, is killed.
  static let patience: Int64 = 600_000_000
  /// For so long one message makes the service manager wait, and the next follows after half of it.
  static let extensionInterval: Int64 = 10_000_000_000
  private static let killInterval: Int64 = 1_000_000_000
  /// How long clients that wait are accepted by listeners that begatd leaves to themselves: its stop is over within a
  /// second, and the next one finds the addresses free.
  static let closePatience: Int64 = 700_000_000
  /// After that order, a listener has this time to close its sockets: one that does not turn is killed.
  static let leavePatience: Int64 = 3_000_000_000

  /// Whether a stop was ordered.
  var isOrdered: Bool { phase != .running }
  /// Whether no client is accepted any more.
  var isDraining: Bool { killTime != nil }
  /// Whether everything is ended.
  var isEnding: Bool { phase == .ending }
  var announcementEnd: Int64? { if case .announcing(let end) = phase { end } else { nil } }

  /// Orders a stop.
  ///
  /// - Parameter isSignal: a signal after the first order ends everything, a repeated request does nothing.
  /// - Parameter leavesListeners: whether begatd ends as soon as listeners accept no more clients.
  mutating func order(
    at now: Int64, isSignal: Bool, leavesListeners: Bool = false, announceTime: Int64, drainTimeout: Int64
  ) -> Step? {
    switch phase {
    case .running:
      self.leavesListeners = leavesListeners
      extensionTime = now
      guard announceTime > 0 else { return drain(at: now, drainTimeout) }
      phase = .announcing(until: now + announceTime)
      return .announce(until: now + announceTime)
    case .announcing, .draining, .ending:
      guard isSignal else { return nil }
      phase = .ending
      extensionTime = nil
      closeTime = nil
      killTime = min(killTime ?? .max, now + StopState.patience)
      return .end
    }
  }

  /// The next step, if it is time for one.
  mutating func advance(at now: Int64, drainTimeout: Int64) -> Step? {
    if let end = announcementEnd { return end <= now ? drain(at: now, drainTimeout) : nil }
    if let time = closeTime, time <= now {
      closeTime = nil
      return .closeSockets
    }
    guard let time = killTime, time <= now else { return nil }
    killTime = now + StopState.killInterval
    return .kill
  }

  private mutating func drain(at now: Int64, _ timeout: Int64) -> Step {
    phase = .draining
    killTime = now + (leavesListeners ? StopState.leavePatience : timeout + StopState.grace)
    closeTime = leavesListeners ? now + StopState.closePatience : nil
    return .drain
  }

  /// For how long the service manager is to wait for the next message, if one is due.
  mutating func takeExtension(at now: Int64, drainTimeout: Int64) -> Int64? {
    guard let time = extensionTime, time <= now else { return nil }
    let end = killTime ?? (announcementEnd ?? now) + drainTimeout + StopState.grace
    // Processes that are left after the last kill are reaped immediately.
    let rest = max(0, end - now) + StopState.killInterval
    extensionTime = rest > StopState.extensionInterval ? now + StopState.extensionInterval / 2 : nil
    return min(rest, StopState.extensionInterval)
  }

  /// When there is something to do, whatever happens.
  var nextTime: Int64? {
    [announcementEnd, closeTime, killTime, extensionTime].compactMap { $0 }.min()
  }
}
