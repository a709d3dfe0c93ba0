import Glibc
@_spi(Begat) import UnixCore

/// The reading end of a pipe from a program, a pipeline or a forked process: Perl's `open(FH, "cmd |")` and `"-|"`.
///
/// Letting go of it without `close` kills the writers.
public struct ChildOutput: ~Copyable, Sendable {
  private var reader: BufferedReader?
  /// The processes that write.
  public let processes: PipelineProcesses

  init(_ reading: consuming Descriptor, from processes: PipelineProcesses) {
    reader = BufferedReader(reading)
    self.processes = processes
  }

  /// Lends the reader of the pipe to the body, for calls that this type does not have.
  ///
  /// - Throws: `EBADF` after `close`; what the body throws.
  public mutating func withReader<Result>(
    _ body: (inout BufferedReader) throws(SystemCallError) -> Result
  ) throws(SystemCallError) -> Result {
    guard var lent = reader.take() else {
      throw SystemCallError("read", on: "a closed pipe", code: ErrorCode.badFileDescriptor)
    }
    do throws(SystemCallError) {
      let result = try body(&lent)
      reader = consume lent
      return result
    } catch {
      reader = consume lent
      throw error
    }
  }

  /// The next line without its LF; nil at the end.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline; `EMSGSIZE` for a line of more than 1 MiB; `EBADF` after `close`.
  public mutating func readLine(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8]? {
    try withReader { (reader) throws(SystemCallError) in try reader.readLine(until: deadline) }
  }

  /// What has been written by now, at least one byte; nothing at the end.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline; `EBADF` after `close`.
  public mutating func read(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    try withReader { (reader) throws(SystemCallError) in try reader.read(until: deadline) }
  }

  /// All that is written up to the end.
  ///
  /// - Throws: `EMSGSIZE` for more bytes than the limit; `ETIMEDOUT` at the deadline; `EBADF` after `close`.
  public mutating func readToEnd(limit: Int, until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    try withReader { (reader) throws(SystemCallError) in try reader.readToEnd(limit: limit, until: deadline) }
  }

  /// Copies all that is written up to the end to another descriptor, through the kernel where that is possible.
  ///
  ///     try input.copyAll(to: StandardStreams.output)
  ///
  /// - Parameter sink: takes the bytes.
  /// - Parameter deadline: ends the copying, whichever side is waited for.
  /// - Parameter cancellation: ends the copying when it is cancelled.
  /// - Returns: the number of bytes.
  /// - Throws: as ``Descriptor/copyAll(to:until:cancelledBy:)``; `EBADF` after `close`.
  @discardableResult
  public mutating func copyAll(
    to sink: borrowing Descriptor, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> Int {
    guard var lent = reader.take() else {
      throw SystemCallError("read", on: "a closed pipe", code: ErrorCode.badFileDescriptor)
    }
    do throws(SystemCallError) {
      let count = try lent.copyAll(to: sink, until: deadline, cancelledBy: cancellation)
      reader = consume lent
      return count
    } catch {
      reader = consume lent
      throw error
    }
  }

  /// Stops reading, and waits for the writers' end.
  ///
  /// SIGPIPE ends a writer that has more to write, unless it ignores the signal.
  ///
  /// - Parameter deadline: how long to wait.
  /// - Parameter cancellation: ends the wait when it is cancelled.
  /// - Returns: how the writer ended; for a pipeline, the status of the last stage that failed, else success.
  /// - Throws: `ETIMEDOUT` if a writer has not ended by the deadline, or by one of `withDeadline`; `ECANCELED`.  The
  ///   output is closed then, and `close` or `terminate` may be called again.
  @discardableResult
  public mutating func close(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> ExitStatus {
    PipelineProcesses.summary(try closeStages(until: deadline, cancelledBy: cancellation))
  }

  /// Stops reading, and waits for the writers' end, as `close` does.
  ///
  /// - Returns: how every stage of a pipeline ended, the first one first.
  @discardableResult
  public mutating func closeStages(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> [ExitStatus] {
    reader = nil
    return try processes.waitForExit(until: deadline, cancelledBy: cancellation)
  }

  /// Ends the writers: they get SIGTERM, the pipe is closed, and SIGKILL after the grace period.  One that is writing at
  /// that moment may end by SIGPIPE.
  ///
  /// - Returns: how every stage of a pipeline ended, the first one first.
  @discardableResult
  public mutating func terminate(gracePeriod: Duration = .seconds(5)) -> [ExitStatus] {
    processes.requestEnd()
    reader = nil
    return processes.endOrKill(gracePeriod: gracePeriod)
  }
}
