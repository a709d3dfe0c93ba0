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
    var set = PollSet()
    set.add(descriptor.number, readiness)
    set.add(cancellation, .readable)
    let isReady: Bool
    do throws(SystemCallError) { isReady = try set.wait(until: deadline) } catch {
      throw SystemCallError("poll", code: error.code)
    }
    if !set[1].isEmpty { throw SystemCallError("poll", code: .canceled) }
    return isReady
  }
}
