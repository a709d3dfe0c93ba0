import UnixIPC

/// How long others are waited for: until a deadline, or until somebody cancels that.
struct Patience {
  /// Readable when nobody wants to wait any more; -1 for none.
  let cancellation: CInt
  var deadline = Deadline.never

  /// For what is still to be done when something has failed.
  static var atEnd: Patience { Patience(cancellation: -1, deadline: Deadline(after: .seconds(1))) }

  /// - Returns: false at the deadline.
  /// - Throws: `ECANCELED`.
  func wait(for readiness: Poller.Interest, of descriptor: borrowing Descriptor) throws(CallFailure) -> Bool {
    var set = PollSet()
    set.add(descriptor.number, readiness)
    set.add(cancellation, .readable)
    let isReady: Bool
    do throws(Errno) { isReady = try set.wait(until: deadline) } catch { throw CallFailure("poll", errno: error) }
    if !set[1].isEmpty { throw CallFailure("poll", errno: .canceled) }
    return isReady
  }
}
