import Glibc
@_spi(Begat) import UnixCore

/// How long others are waited for: until a deadline, or until somebody cancels that.
struct Patience {
  /// Readable when nobody wants to wait any more; -1 for none.
  let cancellation: CInt
  var deadline = Deadline.never

  /// For what is still to be done when something has failed.
  static var atEnd: Patience { Patience(cancellation: -1, deadline: Deadline(after: .seconds(1))) }

  /// - Returns: false at the deadline.
  /// - Throws: `ECANCELED`.
  func wait(for readiness: Poller.Interest, of descriptor: borrowing Descriptor) throws(SystemCallError) -> Bool {
    var queries = [
      pollfd(fd: descriptor.number, events: Int16(truncatingIfNeeded: readiness.rawValue), revents: 0),
      pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let count = poll(&queries, 2, deadline.milliseconds)
      let error = ErrorCode(rawValue: errno)
      if count > 0 {
        if queries[1].revents != 0 { throw SystemCallError("poll", code: .canceled) }
        return true
      }
      if count == -1, error != .interrupted { throw SystemCallError("poll", code: error) }
      if deadline.isExpired { return false }
    }
  }
}
