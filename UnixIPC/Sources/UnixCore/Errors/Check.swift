import Glibc

/// Makes one system call, again when a signal interrupted it, and turns its -1 into a failure that names it.
///
/// After the deadline of `withDeadline` an interruption is `ETIMEDOUT`.  The only place that looks at errno.  Not for
/// close(2), which is never repeated.
@inline(__always)
package func check<Result: SignedInteger & FixedWidthInteger>(
  _ call: String, on object: @autoclosure () -> String? = nil, _ body: () -> Result
) throws(SystemCallError) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let error = ErrorCode.current
    if error == .interrupted, !Deadline.current.isExpired { continue }
    throw SystemCallError(call, on: object(), code: error == .interrupted ? .timedOut : error)
  }
}

/// The same for a call on an open descriptor.
@inline(__always)
package func check<Result: SignedInteger & FixedWidthInteger>(
  _ call: String, onDescriptor number: CInt, _ body: () -> Result
) throws(SystemCallError) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let error = ErrorCode.current
    if error == .interrupted, !Deadline.current.isExpired { continue }
    throw SystemCallError(call, onDescriptor: number, code: error == .interrupted ? .timedOut : error)
  }
}
