@_spi(Begat) import UnixCore

/// Programs one behind the other, each reading what the one before it writes; without a shell.
///
/// A stage that cannot be executed is an error, and none of the others is left running then.
///
/// Source: pipe(7).
public struct Pipeline: Sendable {
  public var programs: [Program]

  public init(_ programs: [Program]) { self.programs = programs }
  public init(_ programs: Program...) { self.programs = programs }

  /// Starts all stages; what the last one writes is read here.
  ///
  /// - Parameter errors: the standard error of every stage; `.asOutput` sends it down the pipe.
  public func openForReading(input: ProgramStream = .null, errors: ProgramStream = .inherited)
    throws(SystemCallError) -> ChildOutput
  {
    let last = try PipeEnds()
    let stages = try start(input: input, output: .descriptor(last.writeEnd.number), errors: errors)
    return ChildOutput(last.readEnd, from: stages)
  }

  /// Starts all stages; what is written here is read by the first one.
  public func openForWriting(output: ProgramStream = .inherited, errors: ProgramStream = .inherited)
    throws(SystemCallError) -> ChildInput
  {
    let first = try PipeEnds()
    let stages = try start(input: .descriptor(first.readEnd.number), output: output, errors: errors)
    return ChildInput(first.writeEnd, to: stages)
  }

  /// Runs all stages to their end and tells how each ended, the first one first.
  public func run(
    input: ProgramStream = .inherited, output: ProgramStream = .inherited, errors: ProgramStream = .inherited
  ) throws(SystemCallError) -> [ExitStatus] {
    try start(input: input, output: output, errors: errors).wait()
  }

  /// Starts all stages, for whoever has more to wait for than their ends.
  public func start(
    input: ProgramStream = .inherited, output: ProgramStream = .inherited, errors: ProgramStream = .inherited
  ) throws(SystemCallError) -> Stages {
    guard let lastProgram = programs.last else {
      throw SystemCallError("pipe", on: "a pipeline without programs", code: .invalidArgument)
    }
    var stages = Stages()
    var source: Descriptor?
    var sourceStream = input
    for program in programs.dropLast() {
      let ends = try PipeEnds()
      let reading = ends.readEnd
      let writing = ends.writeEnd
      stages.append(try program.spawn(input: sourceStream, output: .descriptor(writing.number), errors: errors))
      sourceStream = .descriptor(reading.number)
      // Closes the one before it, which its reader has now.
      source = consume reading
    }
    stages.append(try lastProgram.spawn(input: sourceStream, output: output, errors: errors))
    _ = consume source
    return stages
  }
}

extension Program {
  /// Starts the program; what it writes is read here.
  ///
  /// - Throws: why it cannot be executed, for one.
  public func openForReading(input: ProgramStream = .null, errors: ProgramStream = .inherited)
    throws(SystemCallError) -> ChildOutput
  {
    try Pipeline(self).openForReading(input: input, errors: errors)
  }

  /// Starts the program; what is written here is read by it.
  ///
  /// - Throws: why it cannot be executed, for one.
  public func openForWriting(output: ProgramStream = .inherited, errors: ProgramStream = .inherited)
    throws(SystemCallError) -> ChildInput
  {
    try Pipeline(self).openForWriting(output: output, errors: errors)
  }
}
