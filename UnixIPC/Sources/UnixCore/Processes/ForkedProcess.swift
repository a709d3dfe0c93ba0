import CPlatform
import Glibc

/// Copies of the calling process, each running a closure.
///
/// The copy has the caller's memory, dispositions of signals and directory, its standard streams, and no other descriptor
/// than those named: one that it kept by accident, such as the writing end of another child's pipe, would keep that
/// child's input from ever ending.  What was printed and not written yet is written before, by the caller alone.
///
/// Source: fork(2).
public enum ForkedProcess {
  /// What a copy starts with.
  public struct Options: Sendable {
    /// Whom it runs as; nil is as the caller.  Needs privileges.
    public var identity: Identity?
    /// Descriptors that stay open besides 0, 1 and 2.
    public var keptDescriptors: [CInt]
    /// Whether it leads a process group of its own, so that it is ended with all that it starts.
    public var leadsGroup: Bool

    public init(identity: Identity? = nil, keptDescriptors: [CInt] = [], leadsGroup: Bool = false) {
      self.identity = identity
      self.keptDescriptors = keptDescriptors
      self.leadsGroup = leadsGroup
    }
  }

  /// Runs the closure in a copy of the process, which ends with the status that it returns.
  ///
  /// An error that it throws is a line on standard error and the exit status 1.  No exit handler of the caller's runs.
  ///
  /// - Throws: `EDEADLK` in a process with threads; what kept the copy from becoming `options.identity`.
  public static func run(_ options: Options = Options(), _ body: () throws -> CInt) throws(SystemCallError)
    -> ChildProcess
  {
    try start(options, streams: [:], body)
  }

  /// - Parameter streams: which descriptor of the caller's becomes which standard stream.
  package static func start(_ options: Options, streams: [CInt: CInt], _ body: () throws -> CInt)
    throws(SystemCallError)
    -> ChildProcess
  {
    try Threads.mustBeAlone()
    fflush(nil)
    let report = try PipeEnds()
    let number = fork()
    if number == -1 { throw SystemCallError("fork", code: .current) }
    if number == 0 { live(options, streams, report.writeEnd.number, body) }
    let reading = report.readEnd
    _ = consume report.writeEnd

    let child = try ChildProcess(owning: number, leadsGroup: options.leadsGroup)
    if options.leadsGroup {
      // Here as well as there: whoever comes first.  It fails only where the other one has done it.
      setpgid(number, number)
    }
    if let failure = try StartReport.read(from: reading) {
      _ = try child.wait()
      throw failure
    }
    return child
  }

  /// The child's whole life.
  private static func live(_ options: Options, _ streams: [CInt: CInt], _ report: CInt, _ body: () throws -> CInt)
    -> Never
  {
    platform_forget_deadline()
    do throws(SystemCallError) {
      // The report must not lie where a standard stream goes.
      let report = try Descriptor(owning: report).duplicate(notBelow: 3)
      do throws(SystemCallError) { try prepare(options, streams, keeping: report.number) } catch {
        StartReport.write(error, to: report)
        endProcess(status: 127)
      }
    } catch { end(with: error) }
    do {
      let status = try body()
      fflush(nil)
      endProcess(status: status)
    } catch { end(with: error) }
  }

  private static func prepare(_ options: Options, _ streams: [CInt: CInt], keeping report: CInt) throws(SystemCallError)
  {
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
    try DescriptorRange.close(from: 3, keeping: options.keptDescriptors, and: report)
    try options.identity?.become()
  }

  private static func end(with error: any Error) -> Never {
    fflush(nil)
    Descriptor.withBorrowed(STDERR_FILENO) { try? $0.writeAll("\(error)\n") }
    endProcess(status: 1)
  }
}
