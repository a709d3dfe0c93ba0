@_spi(Begat) import UnixCore

/// How long others are waited for: until a deadline, or until the wait is cancelled.
struct Patience {
  /// Nil for waits that only the deadline ends.
  let cancellation: Cancellation?
  var deadline = Deadline.never

  /// For what is still to be done when something has failed.
  static var atEnd: Patience { Patience(cancellation: nil, deadline: Deadline(after: .seconds(1))) }

  /// - Returns: false at the deadline.
  /// - Throws: `ECANCELED`.
  func wait(for readiness: Poller.Interest, of descriptor: borrowing Descriptor) throws(SystemCallError) -> Bool {
    if descriptor.wait(for: readiness, until: deadline, cancelledBy: cancellation) { return true }
    if cancellation?.isCancelled ?? false { throw SystemCallError("poll", code: .canceled) }
    return false
  }
}
