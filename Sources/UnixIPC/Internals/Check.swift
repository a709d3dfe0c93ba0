import Glibc

/// Makes one system call, again when a signal interrupted it, and turns its -1 into a failure that names it.
///
/// After the deadline of `withDeadline` an interruption is `ETIMEDOUT`.  The only place that looks at errno.  Not for
/// close(2), which is never repeated.
@inline(__always)
func check<Result: SignedInteger & FixedWidthInteger>(
  _ call: StaticString, on object: @autoclosure () -> String? = nil, _ body: () -> Result
) throws(CallFailure) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let error = Errno.current
    if error == .interrupted, !Deadline.ofThread.hasPassed { continue }
    throw CallFailure(call.description, on: object(), errno: error == .interrupted ? .timedOut : error)
  }
}

/// The same for calls on the way of a connection, whose failures are looked at and not shown: no text is made.
@inline(__always)
func attempt<Result: SignedInteger & FixedWidthInteger>(_ body: () -> Result) throws(Errno) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let error = Errno.current
    if error == .interrupted, !Deadline.ofThread.hasPassed { continue }
    throw error == .interrupted ? .timedOut : error
  }
}
