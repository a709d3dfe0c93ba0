@_spi(Begat) import UnixCore

/// One of the connections that are under way at once; when one ends, the next takes its slot.
struct LoadSlot: ~Copyable {
  enum Phase {
    /// No connection; at a rate, the next one that is due takes the slot.
    case idle
    case open
    /// A connection that a full backlog put off.
    case postponed
    /// After a connection that failed immediately, the next one waits a little, so that the loop does not spin.
    case resting
  }

  var phase = Phase.idle
  /// With datagrams, it stays open for the next question.
  var socket: Descriptor?
  /// When the connection began, or was due, of the monotonic clock.
  var began: Int64 = 0
  /// When a slot without a connection goes on.
  var resumes: Int64 = 0
  var received = 0
  /// How much of the expected text the end of what was received matches.
  var matched = 0
  /// How much of its header and text it has sent.
  var sent = 0
  /// The client that it claims.
  var client = 0

  mutating func start(at instant: Int64) {
    began = instant
    received = 0
    matched = 0
    sent = 0
  }
}
