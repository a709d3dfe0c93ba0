import Glibc
@_spi(Begat) import UnixCore

/// The writing end of a pipe into a program, a pipeline or a forked process: Perl's `open(FH, "| cmd")` and `"|-"`.
///
/// Letting go of it without `close` kills the readers.
public struct ChildInput: ~Copyable, Sendable {
  private var descriptor: Descriptor?
  /// The processes that read.
  public let processes: PipelineProcesses

  init(_ writing: consuming Descriptor, to processes: PipelineProcesses) {
    descriptor = consume writing
    self.processes = processes
  }

  /// Lends the pipe's descriptor to the body, for calls that this type does not have.
  ///
  /// - Throws: `EBADF` after `close`; what the body throws.
  public func withDescriptor<Result>(
    _ body: (borrowing Descriptor) throws(SystemCallError) -> Result
  ) throws(SystemCallError) -> Result {
    switch descriptor {
    case .some(let descriptor): return try body(descriptor)
    case .none: throw SystemCallError("write", on: "a closed pipe", code: ErrorCode.badFileDescriptor)
    }
  }

  /// Writes all of the bytes.
  ///
  /// - Throws: `EPIPE` when the reader is gone, and no SIGPIPE; `ETIMEDOUT` if it has not read all by the deadline;
  ///   `EBADF` after `close`.
  public func write(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline = .never) throws(SystemCallError) {
    try withDescriptor { (descriptor) throws(SystemCallError) in
      var rest = bytes
      // A pipe with room takes at least one page without making its writer wait.
      let pieceSize = deadline == .never ? Int.max : 4096
      while !rest.isEmpty {
        // A busy reader always leaves room.
        if rest.count < bytes.count, deadline.isExpired { throw descriptor.failure("write", .timedOut) }
        if deadline != .never, !descriptor.wait(for: .writable, until: deadline) {
          throw descriptor.failure("write", .timedOut)
        }
        let count = try descriptor.write(UnsafeRawBufferPointer(rebasing: rest.prefix(pieceSize)))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  /// Writes all of the bytes.
  ///
  /// - Throws: as the form with a buffer.
  public func write(_ bytes: [UInt8], until deadline: Deadline = .never) throws(SystemCallError) {
    let failure = bytes.withUnsafeBytes { bytes -> SystemCallError? in
      do throws(SystemCallError) {
        try write(bytes, until: deadline)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// Writes the whole text.
  ///
  /// - Throws: as the form with a buffer.
  public func write(_ text: String, until deadline: Deadline = .never) throws(SystemCallError) {
    try write(Array(text.utf8), until: deadline)
  }

  /// Ends the readers' input, and waits for their end.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Returns: how the reader ended; for a pipeline, the status of the last stage that failed, else success.
  /// - Throws: `ETIMEDOUT` if a reader has not ended by the deadline, or by one of `withDeadline`; `ECANCELED`.  The input
  ///   is closed then, and `close` or `terminate` may be called again.
  @discardableResult
  public mutating func close(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> ExitStatus {
    PipelineProcesses.summary(try closeStages(until: deadline, cancelledBy: cancellation))
  }

  /// Ends the readers' input, and waits for their end, as `close` does.
  ///
  /// - Returns: how every stage of a pipeline ended, the first one first.
  @discardableResult
  public mutating func closeStages(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> [ExitStatus] {
    descriptor = nil
    return try processes.waitForExit(until: deadline, cancelledBy: cancellation)
  }

  /// Ends the readers: they get SIGTERM, their input ends, and SIGKILL after the grace period.
  ///
  /// - Returns: how every stage of a pipeline ended, the first one first.
  @discardableResult
  public mutating func terminate(gracePeriod: Duration = .seconds(5)) -> [ExitStatus] {
    processes.requestEnd()
    descriptor = nil
    return processes.endOrKill(gracePeriod: gracePeriod)
  }
}
