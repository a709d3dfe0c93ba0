@_spi(Begat) import UnixCore

/// What a program, a pipeline or a forked process reads, to be written here: Perl's `open(FH, "| cmd")` and `"|-"`.
///
/// Letting go of it before `finish` kills whoever reads.
public struct ChildInput: ~Copyable, Sendable {
  public let descriptor: Descriptor
  private let stages: Stages

  init(_ writing: consuming Descriptor, to stages: Stages) {
    descriptor = writing
    self.stages = stages
  }

  /// Writes all of the bytes.
  ///
  /// - Throws: `EPIPE` when the reader is gone, which never comes as a signal; `ETIMEDOUT` when it has not read all by
  ///   the deadline.
  public func write(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline = .never) throws(SystemCallError) {
    var rest = bytes
    // A pipe with room takes at least one page without making its writer wait.
    let most = deadline == .never ? Int.max : 4096
    while !rest.isEmpty {
      // A busy reader always leaves room.
      if rest.count < bytes.count, deadline.isOver { throw descriptor.failure("write", .timedOut) }
      if deadline != .never, !descriptor.wait(for: .writable, until: deadline) {
        throw descriptor.failure("write", .timedOut)
      }
      let count = try descriptor.writeWithoutSignal(UnsafeRawBufferPointer(rebasing: rest.prefix(most)))
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  public func write(_ bytes: [UInt8], until deadline: Deadline = .never) throws(SystemCallError) {
    let failure = bytes.withUnsafeBytes { bytes -> SystemCallError? in
      do throws(SystemCallError) {
        try write(bytes, until: deadline)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  public func write(_ text: String, until deadline: Deadline = .never) throws(SystemCallError) {
    try write(Array(text.utf8), until: deadline)
  }

  /// Ends the input, waits for the reader's end and tells how it ended.
  ///
  /// - Returns: of a pipeline the status of the last stage that failed, else success; see `finishAll`.
  public consuming func finish() throws(SystemCallError) -> ExitStatus {
    try finishAll().last { !$0.isSuccess } ?? .exited(code: 0)
  }

  /// The same, telling how every stage of a pipeline ended, the first one first.
  public consuming func finishAll() throws(SystemCallError) -> [ExitStatus] {
    let stages = stages
    _ = consume descriptor
    return try stages.wait()
  }

  /// Ends the reader, by force when it has not ended within `patience`.
  public consuming func end(patience: Duration = .seconds(5)) throws(SystemCallError) -> [ExitStatus] {
    let stages = stages
    _ = consume descriptor
    return try stages.end(patience: patience)
  }
}
