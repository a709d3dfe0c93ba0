import Glibc

/// Makes one system call, again when a signal interrupted it, and turns its -1 into a failure that names it.
///
/// After the deadline of `withDeadline` an interruption is `ETIMEDOUT`.  Not for close(2), which is never repeated.
@inline(__always)
package func check<Result: SignedInteger & FixedWidthInteger>(
  _ call: String, on object: @autoclosure () -> String? = nil, _ body: () -> Result
) throws(SystemCallError) -> Result {
  try check(body) { SystemCallError(call, on: object(), code: $0) }
}

/// The same for a call on an open descriptor.
@inline(__always)
package func check<Result: SignedInteger & FixedWidthInteger>(
  _ call: String, onDescriptor number: CInt, _ body: () -> Result
) throws(SystemCallError) -> Result {
  try check(body) { SystemCallError(call, onDescriptor: number, code: $0) }
}

/// The loop of both.
@inline(__always)
private func check<Result: SignedInteger & FixedWidthInteger>(
  _ body: () -> Result, failure: (ErrorCode) -> SystemCallError
) throws(SystemCallError) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let error = ErrorCode.current
    if error == .interrupted, !Deadline.current.isExpired { continue }
    throw failure(error == .interrupted ? .timedOut : error)
  }
}
