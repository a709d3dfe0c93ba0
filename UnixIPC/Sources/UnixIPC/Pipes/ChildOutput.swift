@_spi(Begat) import UnixCore

/// What a program, a pipeline or a forked process writes, to be read here: Perl's `open(FH, "cmd |")` and `"-|"`.
///
/// Letting go of it before `finish` kills whoever writes.
public struct ChildOutput: ~Copyable, Sendable {
  public var reader: BufferedReader
  private let stages: Stages

  init(_ reading: consuming Descriptor, from stages: Stages) {
    reader = BufferedReader(reading)
    self.stages = stages
  }

  /// The next line without its LF, nil at the end; see `BufferedReader`.
  public mutating func readLine(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8]? {
    try reader.readLine(until: deadline)
  }

  /// Stops reading, waits for the writer's end and tells how it ended.
  ///
  /// A writer with more to say is ended by SIGPIPE, unless it knows better.
  ///
  /// - Returns: of a pipeline the status of the last stage that failed, else success; see `finishAll`.
  public consuming func finish() throws(SystemCallError) -> ExitStatus {
    try finishAll().last { !$0.isSuccess } ?? .exited(code: 0)
  }

  /// The same, telling how every stage of a pipeline ended, the first one first.
  public consuming func finishAll() throws(SystemCallError) -> [ExitStatus] {
    let stages = stages
    _ = consume reader
    return try stages.wait()
  }

  /// Ends the writer, by force when it has not ended within `patience`.
  public consuming func end(patience: Duration = .seconds(5)) throws(SystemCallError) -> [ExitStatus] {
    let stages = stages
    _ = consume reader
    return try stages.end(patience: patience)
  }
}
