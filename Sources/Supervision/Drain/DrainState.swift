/// Whether a service accepts clients, and if not for much longer, until when.
///
/// Instants are CLOCK_MONOTONIC, nanoseconds.
struct DrainState: Hashable {
  enum Phase: Hashable {
    case serving
    /// The service has said that it will close, and accepts clients until then.
    case announcing(until: Int64)
    /// Its sockets are closed, or take no new client.  It is drained when its last listener has ended.
    case closed
  }

  private(set) var phase = Phase.serving

  var isClosed: Bool { phase == .closed }

  /// When the announcement is over.
  var announcementEnd: Int64? { if case .announcing(let end) = phase { end } else { nil } }

  /// Orders the service to close; one that is to close already keeps its time.
  ///
  /// - Returns: whether it was serving.
  mutating func begin(at now: Int64, announceTime: Int64) -> Bool {
    guard phase == .serving else { return false }
    phase = .announcing(until: now + announceTime)
    return true
  }

  /// Ends an announcement whose time is over.
  ///
  /// - Returns: whether the sockets are to be closed now.
  mutating func advance(at now: Int64) -> Bool {
    guard let end = announcementEnd, end <= now else { return false }
    phase = .closed
    return true
  }

  /// Closes the service without an announcement.
  ///
  /// - Returns: whether the sockets are to be closed now.
  mutating func close() -> Bool {
    defer { phase = .closed }
    return phase != .closed
  }

  mutating func resume() { phase = .serving }
}
