@_spi(Begat) import UnixCore

/// Programs in a row, each reading what the one before it writes; without a shell.
///
/// A stage that cannot be executed is an error, and none of the others is left running then.
///
/// Source: pipe(7).
public struct Pipeline: Sendable {
  /// The stages, the one that reads first in front.
  public var programs: [Program]

  /// A pipeline of these programs.
  public init(_ programs: [Program]) { self.programs = programs }

  /// A pipeline of these programs.
  public init(_ programs: Program...) { self.programs = programs }

  /// Starts all stages; what the last one writes is read here.
  ///
  /// - Parameter input: the standard input of the first stage.
  /// - Parameter errors: the standard error of every stage; `.withOutput` sends it down the pipe.
  /// - Throws: as `start`.
  public func openForReading(
    input: consuming ProgramStream = .null, errors: consuming ProgramStream = .inherited
  ) throws(SystemCallError) -> ChildOutput {
    let last = try PipeEnds()
    let reading = last.readEnd
    let processes = try start(input: input, output: .descriptor(last.writeEnd), errors: errors)
    return ChildOutput(reading, from: processes)
  }

  /// Starts all stages; what is written here is read by the first one.
  ///
  /// - Parameter output: the standard output of the last stage.
  /// - Parameter errors: the standard error of every stage.
  /// - Throws: as `start`.
  public func openForWriting(
    output: consuming ProgramStream = .inherited, errors: consuming ProgramStream = .inherited
  ) throws(SystemCallError) -> ChildInput {
    let first = try PipeEnds()
    let writing = first.writeEnd
    let processes = try start(input: .descriptor(first.readEnd), output: output, errors: errors)
    return ChildInput(writing, to: processes)
  }

  /// Runs all stages to their end.
  ///
  /// - Parameter input: the standard input of the first stage.
  /// - Parameter output: the standard output of the last stage.
  /// - Parameter errors: the standard error of every stage.
  /// - Parameter deadline: when all stages are ended.
  /// - Parameter cancellation: ends all stages when it is cancelled.
  /// - Parameter gracePeriod: how long stages that are ended have from SIGTERM to SIGKILL.
  /// - Returns: how each stage ended, the first one first.
  /// - Throws: as `start`; `ETIMEDOUT` at the deadline, and `ECANCELED`, when the stages have been ended.
  public func run(
    input: consuming ProgramStream = .inherited, output: consuming ProgramStream = .inherited,
    errors: consuming ProgramStream = .inherited, until deadline: Deadline = .never,
    cancelledBy cancellation: Cancellation? = nil, gracePeriod: Duration = .seconds(5)
  ) throws(SystemCallError) -> [ExitStatus] {
    let processes = try start(input: input, output: output, errors: errors)
    do throws(SystemCallError) { return try processes.waitForExit(until: deadline, cancelledBy: cancellation) } catch {
      processes.terminate(gracePeriod: gracePeriod)
      throw error
    }
  }

  /// Starts all stages, for a program that waits for more than their ends.
  ///
  /// - Parameter input: the standard input of the first stage.
  /// - Parameter output: the standard output of the last stage.
  /// - Parameter errors: the standard error of every stage.
  /// - Throws: the step that failed in a stage, as `Program.spawn`; `EINVAL` for a pipeline without programs.
  public func start(
    input: consuming ProgramStream = .inherited, output: consuming ProgramStream = .inherited,
    errors: consuming ProgramStream = .inherited
  ) throws(SystemCallError) -> PipelineProcesses {
    guard let lastProgram = programs.last else {
      throw SystemCallError("pipe", on: "a pipeline without programs", code: .invalidArgument)
    }
    var processes = PipelineProcesses()
    var source = input
    for program in programs.dropLast() {
      let ends = try PipeEnds()
      let reading = ends.readEnd
      processes.append(
        try program.spawn(lentInput: source, output: .descriptor(ends.writeEnd), errors: errors))
      // Closes the one before it, which its reader has now.
      source = .descriptor(reading)
    }
    processes.append(try lastProgram.spawn(lentInput: source, output: output, errors: errors))
    return processes
  }
}

extension [ExitStatus] {
  /// Throws unless all stages of a pipeline succeeded.
  ///
  ///     try spooler.run(input: .descriptor(file)).checkSuccess(of: spooler)
  ///
  /// - Parameter pipeline: its last stage that failed is named in the error.
  public func checkSuccess(of pipeline: Pipeline) throws(ProgramError) {
    for (status, program) in zip(self, pipeline.programs).reversed() { try status.checkSuccess(of: program) }
  }
}

extension Program {
  /// Starts the program; what it writes is read here.
  ///
  /// - Parameter input: the program's standard input.
  /// - Parameter errors: its standard error; `.withOutput` is read here as well.
  /// - Throws: as `spawn`.
  public func openForReading(
    input: consuming ProgramStream = .null, errors: consuming ProgramStream = .inherited
  ) throws(SystemCallError) -> ChildOutput {
    try Pipeline(self).openForReading(input: input, errors: errors)
  }

  /// Starts the program; what is written here is read by it.
  ///
  /// - Parameter output: the program's standard output.
  /// - Parameter errors: its standard error.
  /// - Throws: as `spawn`.
  public func openForWriting(
    output: consuming ProgramStream = .inherited, errors: consuming ProgramStream = .inherited
  ) throws(SystemCallError) -> ChildInput {
    try Pipeline(self).openForWriting(output: output, errors: errors)
  }
}
