import CPlatform
import Glibc

/// Copies of the calling process, each running a closure.
///
/// The copy has the caller's memory and directory, its standard streams, and no other descriptor than those named: one
/// that it kept by accident, such as the writing end of another child's pipe, would keep that child's input from ever
/// ending.  Values of the caller that own other descriptors, or children, may be let go of in the copy; that does nothing
/// to the caller's.  The copy has no signals blocked and none handled, so that it can be ended, unless the options say
/// otherwise; what is ignored stays ignored.  Text that was printed and not written yet is written before, by the caller
/// alone.
///
/// Source: fork(2).
public enum ForkedProcess {
  /// What a copy starts with.
  public struct Options: Sendable {
    /// The user and groups that it runs as; nil for the caller's.  ``Identity/real`` and ``Identity/effective`` need no
    /// privileges, another identity does: see ``Identity/become()``.
    public var identity: Identity?
    /// Whether it leads a process group of its own, so that it is ended with all that it starts.
    public var leadsGroup: Bool
    /// The signals that are blocked in it from its start.
    public var blockedSignals: SignalSet
    /// Whether signals that the caller handles have their default action in it.  If not, the caller's handlers run in the
    /// copy, and signals that the caller only counts do not end it.
    public var resetsHandlers: Bool
    /// Descriptors of the caller, which keeps its own, that stay open besides 0, 1 and 2.
    @_spi(Begat) public var keptDescriptors: [CInt] = []

    /// Options of a copy; by default it is as the caller, with no signals blocked or handled.
    ///
    /// - Parameter identity: the user and groups that it runs as; nil for the caller's.
    /// - Parameter leadsGroup: whether it leads a process group of its own.
    /// - Parameter blockedSignals: the signals that are blocked in it from its start.
    /// - Parameter resetsHandlers: whether signals that the caller handles have their default action in it.
    public init(
      identity: Identity? = nil, leadsGroup: Bool = false, blockedSignals: SignalSet = SignalSet(),
      resetsHandlers: Bool = true
    ) {
      self.identity = identity
      self.leadsGroup = leadsGroup
      self.blockedSignals = blockedSignals
      self.resetsHandlers = resetsHandlers
    }

    /// Options of a copy that keeps descriptors by their numbers.
    @_spi(Begat) public init(
      identity: Identity? = nil, keptDescriptors: [CInt], leadsGroup: Bool = false
    ) {
      self.init(identity: identity, leadsGroup: leadsGroup)
      self.keptDescriptors = keptDescriptors
    }
  }

  /// Runs the closure in a copy of the process, which ends with the status that the closure returns.
  ///
  /// If it throws, the copy writes the program's name and the error to standard error and ends with status 1.  No exit handler of the caller runs
  /// there.
  ///
  /// - Parameter options: what the copy starts with.
  /// - Parameter body: runs in the copy, once.
  /// - Throws: `EDEADLK` in a process with threads; the step that kept the copy from becoming `options.identity`.
  public static func run(_ options: Options = Options(), _ body: () throws -> CInt) throws(SystemCallError)
    -> ChildProcess
  {
    try start(options, streams: [:], body)
  }

  /// Runs the closure in a copy of the process, to which descriptors are passed.
  ///
  /// The descriptors are the copy's from then on; the caller's are closed.  To keep one, pass a duplicate
  /// (`DescriptorList.append(duplicateOf:)`).
  ///
  /// - Parameter options: what the copy starts with.
  /// - Parameter descriptors: handed to the closure in the same order.
  /// - Parameter body: runs in the copy, once.
  /// - Throws: as `run(_:_:)`.
  public static func run(
    _ options: Options = Options(), passing descriptors: consuming DescriptorList,
    _ body: (inout DescriptorList) throws -> CInt
  ) throws(SystemCallError) -> ChildProcess {
    var options = options
    options.keptDescriptors += descriptors.descriptorNumbers
    var passed = descriptors
    return try start(options, streams: [:]) { try body(&passed) }
  }

  /// - Parameter streams: which descriptor of the caller's becomes which standard stream.
  package static func start(_ options: Options, streams: [CInt: CInt], _ body: () throws -> CInt)
    throws(SystemCallError)
    -> ChildProcess
  {
    try Threads.mustBeAlone()
    fflush(nil)
    let report = try PipeEnds()
    let child = try OwnedChildren.whileStarting { () throws(SystemCallError) in
      let number = try fork { live(options, streams, report.writeEnd.number, body) }
      return try ChildProcess(started: number, leadsGroup: options.leadsGroup)
    }
    let reading = report.readEnd
    _ = consume report.writeEnd
    if options.leadsGroup {
      // Both processes do it, so that it is done when either goes on.  It fails only if the other has done it.
      setpgid(child.process, child.process)
    }
    if let failure = try StartReport.read(from: reading) {
      try child.waitForExit()
      throw failure
    }
    return child
  }

  /// Forks with all signals blocked: the caller's handlers must not run in the copy.
  private static func fork(_ live: () -> Never) throws(SystemCallError) -> pid_t {
    try SignalSet.all.withBlocked { () throws(SystemCallError) in
      platform_inherit_stack(true)
      defer { platform_inherit_stack(false) }
      let number = try check("fork") { Glibc.fork() }
      if number == 0 { live() }
      return number
    }
  }

  /// The child's whole life.
  private static func live(_ options: Options, _ streams: [CInt: CInt], _ report: CInt, _ body: () throws -> CInt)
    -> Never
  {
    platform_forget_deadline()
    OwnedChildren.resetInCopy()
    do throws(SystemCallError) {
      // The report must not lie where a standard stream goes.
      let report = Descriptor(owning: try check("fcntl") { platform_fcntl(report, F_DUPFD_CLOEXEC, 3) })
      do throws(SystemCallError) { try prepare(options, streams, keeping: report.number) } catch {
        StartReport.write(error, to: report)
        ProcessControl.exitImmediately(status: 127)
      }
    } catch { end(with: error) }
    do {
      let status = try body()
      fflush(nil)
      // The kernel keeps the lowest 8 bits, of which 256 has none: a success.
      ProcessControl.exitImmediately(status: (0...255).contains(status) ? status : 255)
    } catch { end(with: error) }
  }

  private static func prepare(_ options: Options, _ streams: [CInt: CInt], keeping report: CInt) throws(SystemCallError)
  {
    if options.resetsHandlers { platform_reset_handlers() }
    options.blockedSignals.setThreadMask()
    if options.leadsGroup { setpgid(0, 0) }
    for (stream, source) in streams {
      if stream == source {
        try Descriptor.withBorrowed(source) { (descriptor) throws(SystemCallError) in
          try descriptor.setCloseOnExec(false)
        }
      } else {
        _ = try check("dup2") { dup2(source, stream) }
      }
    }
    try VacatedDescriptors.vacate(from: 3, keeping: options.keptDescriptors + [report])
    try options.identity?.become()
  }

  private static func end(with error: any Error) -> Never {
    fflush(nil)
    CommandLineProgram.report(error)
    ProcessControl.exitImmediately(status: 1)
  }
}
