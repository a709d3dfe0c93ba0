import Glibc

extension Program {
  /// Whether the program leads a group, which is signalled with it.
  var leadsAnyGroup: Bool { leadsGroup || leadsSession || controlsTerminal }

  /// Starts the program as a child, which announces its end by SIGCHLD, and which the caller reaps.
  ///
  /// Dispositions and the mask of signals are the default ones in the program, but for `ignoredSignals`.  The call is safe
  /// in a process with threads.
  ///
  /// - Parameter descriptors: the caller's numbers; the first becomes the program's 0, the second 1, and so on.  No
  ///   other descriptor is open in the program.
  /// - Throws: the step that failed, also in the child: a program that cannot be executed is an error here; `EINVAL` for
  ///   a path, an argument or a variable with a NUL.
  ///
  /// Source: vfork(2), execve(2).
  @_spi(Begat) public func start(descriptors: [CInt]) throws(SystemCallError) -> pid_t {
    try PreparedProgram(self).start(descriptors: descriptors)
  }

  /// Starts the program as a child with an owner.
  ///
  /// - Parameter descriptors: as of `start`.
  /// - Throws: as `start`.
  @_spi(Begat) public func spawn(descriptors: [CInt]) throws(SystemCallError) -> ChildProcess {
    try OwnedChildren.whileStarting { () throws(SystemCallError) in
      try ChildProcess(started: try start(descriptors: descriptors), leadsGroup: leadsAnyGroup)
    }
  }

  /// Starts the program as a child with an owner, on streams that stay the caller's.
  package func spawn(
    lentInput input: borrowing ProgramStream, output: borrowing ProgramStream, errors: borrowing ProgramStream,
    others: borrowing DescriptorList = DescriptorList()
  ) throws(SystemCallError) -> ChildProcess {
    let streams = try ProgramStreams(input: input, output: output, errors: errors)
    let child = try spawn(descriptors: streams.numbers + others.descriptorNumbers)
    withExtendedLifetime(streams) {}
    return child
  }

  /// Starts the program as a child with an owner.
  ///
  /// The streams and descriptors are the program's from then on; the caller's are closed.  To keep one, pass a duplicate
  /// (`Descriptor.duplicate`).  No other descriptor is open in the program.  The call is safe in a process with threads.
  ///
  /// - Parameter input: the program's standard input.
  /// - Parameter output: its standard output.
  /// - Parameter errors: its standard error.
  /// - Parameter descriptors: become its descriptors 3, 4 and so on.
  /// - Throws: the step that failed, also in the child: a program that cannot be executed is an error here; `EINVAL` for
  ///   a path, an argument or a variable with a NUL.
  ///
  /// Source: vfork(2), execve(2).
  public func spawn(
    input: consuming ProgramStream = .inherited, output: consuming ProgramStream = .inherited,
    errors: consuming ProgramStream = .inherited, passing descriptors: consuming DescriptorList = DescriptorList()
  ) throws(SystemCallError) -> ChildProcess {
    try spawn(lentInput: input, output: output, errors: errors, others: descriptors)
  }

  /// Runs the program to its end: Perl's `system` with a list, without a shell.
  ///
  /// - Parameter input: the program's standard input, as of `spawn`.
  /// - Parameter output: its standard output.
  /// - Parameter errors: its standard error.
  /// - Parameter deadline: when the program is ended.
  /// - Parameter cancellation: ends the program when it is cancelled.
  /// - Parameter gracePeriod: how long a program that is ended has from SIGTERM to SIGKILL.
  /// - Returns: how it ended.
  /// - Throws: as `spawn`; `ETIMEDOUT` at the deadline, and `ECANCELED`, when the program has been ended.
  public func run(
    input: consuming ProgramStream = .inherited, output: consuming ProgramStream = .inherited,
    errors: consuming ProgramStream = .inherited, until deadline: Deadline = .never,
    cancelledBy cancellation: Cancellation? = nil, gracePeriod: Duration = .seconds(5)
  ) throws(SystemCallError) -> ExitStatus {
    let child = try spawn(input: input, output: output, errors: errors)
    do throws(SystemCallError) { return try child.waitForExit(until: deadline, cancelledBy: cancellation) } catch {
      child.terminate(gracePeriod: gracePeriod)
      throw SystemCallError(error.call, on: path.description, code: error.code)
    }
  }

  /// Starts the program and lets it go, as a shell's `&` does: the process that takes orphans in becomes its parent, so
  /// it never becomes a zombie here, and its status cannot be learned.
  ///
  /// - Parameter input: the program's standard input, as of `spawn`.
  /// - Parameter output: its standard output.
  /// - Parameter errors: its standard error.
  /// - Returns: its number, which may be another process's when it has ended.
  /// - Throws: as `spawn`.
  @discardableResult
  public func startDetached(
    input: consuming ProgramStream = .null, output: consuming ProgramStream = .inherited,
    errors: consuming ProgramStream = .inherited
  ) throws(SystemCallError) -> pid_t {
    var program = self
    program.isDetached = true
    // Its parent is gone on purpose.
    program.parentDeathSignal = nil
    let streams = try ProgramStreams(input: input, output: output, errors: errors)
    let process = try program.start(descriptors: streams.numbers)
    withExtendedLifetime(streams) {}
    return process
  }
}
