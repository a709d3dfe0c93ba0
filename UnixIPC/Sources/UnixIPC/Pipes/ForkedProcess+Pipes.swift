import Glibc
@_spi(Begat) import UnixCore

extension ForkedProcess {
  /// Forks a process whose standard output is read here: Perl's `open(KID, "-|")`.
  ///
  /// - Parameter options: what the copy starts with.
  /// - Parameter body: runs in the copy; gets its standard output and returns its exit status.
  /// - Throws: as `run`.
  public static func openForReading(_ options: Options = Options(), _ body: (borrowing Descriptor) throws -> CInt)
    throws(SystemCallError) -> ChildOutput
  {
    let ends = try PipeEnds()
    let child = try start(options, streams: [STDOUT_FILENO: ends.writeEnd.number]) {
      try Descriptor.withBorrowed(STDOUT_FILENO, body)
    }
    return ChildOutput(ends.readEnd, from: PipelineProcesses(child))
  }

  /// Forks a process that reads as its standard input what is written here: Perl's `open(KID, "|-")`.
  ///
  /// - Parameter options: what the copy starts with.
  /// - Parameter body: runs in the copy; gets its standard input and returns its exit status.
  /// - Throws: as `run`.
  public static func openForWriting(_ options: Options = Options(), _ body: (borrowing Descriptor) throws -> CInt)
    throws(SystemCallError) -> ChildInput
  {
    let ends = try PipeEnds()
    let child = try start(options, streams: [STDIN_FILENO: ends.readEnd.number]) {
      try Descriptor.withBorrowed(STDIN_FILENO, body)
    }
    return ChildInput(ends.writeEnd, to: PipelineProcesses(child))
  }
}
