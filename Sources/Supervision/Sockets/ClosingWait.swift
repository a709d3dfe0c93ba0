/// A bind that failed because an address is in use, while a listener of begatd's own was closing its sockets: it is tried
/// again a few times.
///
/// The kernel gives the name of an abstract Unix socket, and the address of a datagram socket, to one socket at a time.
///
/// Instants are CLOCK_MONOTONIC, nanoseconds.
struct ClosingWait: Hashable {
  /// When the bind is tried again.
  let nextTime: Int64
  /// After this it is not tried again.
  private let deadline: Int64

  /// Handshakes that had begun may take a second.
  private static let patience: Int64 = 3_000_000_000
  private static let interval: Int64 = 50_000_000

  /// - Parameter last: the wait before this attempt; nil if this was the first.
  /// - Returns: nil where the listener has had its time.
  init?(after last: ClosingWait?, at now: Int64) {
    deadline = last?.deadline ?? now + ClosingWait.patience
    guard now < deadline else { return nil }
    nextTime = min(now + ClosingWait.interval, deadline)
  }
}
