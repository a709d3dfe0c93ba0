import Glibc
import NetworkServices
import Settings
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat run`: runs a command, or commands one behind the other, without a shell.
public struct RunClient: Sendable {
  public var stages: [UserCommand]
  /// The user that the commands run as; nil is the caller.
  public var user: String?
  /// Their primary group; nil is the user's.
  public var group: String?
  /// Where; nil is where the caller is.
  public var directory: String?
  /// Whether the commands get a small environment made for the user, as those of another user always do.
  public var cleansEnvironment = false
  public var timeout: Duration?
  /// The signal that a limit sends first.
  public var limitSignal = Signal.terminate
  /// The time from that signal to SIGKILL.
  public var gracePeriod = Duration.seconds(2)
  /// How many bytes of output are passed on.
  public var outputLimit: Int?
  /// Whether the commands get a session without a terminal; nil leaves it to whether another user could type into the
  /// caller's.
  public var leadsSession: Bool?
  /// Whether a command whose reader has left counts as failed.
  public var countsBrokenPipes = false

  private let command = CommandRun(command: "begat run")

  public init(stages: [UserCommand]) { self.stages = stages }

  /// - Returns: the exit status; where a signal ended the last command that failed, it ends this process too.
  public func run() -> CInt {
    let status = command.attempt(failure: Self.ownFailure) { () -> ExitStatus in
      // Others' children, such as those of the shell that this process was, are not to be ended by a limit.
      if hasLimit, Children.exist { return try RunApart.status { end(by: ending()) } }
      return ending()
    }
    return end(by: status)
  }

  private static let ownFailure = ExitStatus.exited(code: ExitStatuses.notStarted)

  private var hasLimit: Bool { timeout != nil || outputLimit != nil }

  private func end(by status: ExitStatus) -> CInt {
    switch status {
    case .exited(let code): code
    case .killed(let signal, _): ProcessEnd.by(signal)
    case .unknown: ExitStatuses.failure
    }
  }

  private func ending() -> ExitStatus {
    command.attempt(failure: Self.ownFailure) {
      let setting = try RunSetting(
        user: user, group: group, directory: directory, cleaningEnvironment: cleansEnvironment)
      do throws(SystemCallError) {
        let leadsSession = leadsSession ?? (setting.isAnotherUsers && StandardStream.hasTerminal)
        if stages.count == 1, !hasLimit, !leadsSession { try becomeCommand(setting) }
        return try watchCommands(setting, leadsSession: leadsSession)
      } catch {
        if error.call == "chdir" { throw setting.refusal(error) }
        guard error.call == "execve" else { throw error }
        return .exited(code: command.complain(ofCommand: error))
      }
    }
  }

  /// With nothing to watch no process stands in between: signals, the terminal and the status are the command's.
  private func becomeCommand(_ setting: RunSetting) throws(SystemCallError) -> Never {
    try DescriptorRange.close(from: StandardStream.errors.rawValue + 1)
    try setting.apply()
    // As this user, who may not see what root sees.
    let path = try stages[0].path(searchPath: setting.searchPath)
    try ProcessControl.becomeProgram(
      at: UnixPath(path), arguments: Array(stages[0].words.dropFirst()), argumentZero: stages[0].words.first,
      environment: setting.environment.map { Program.Environment(entries: $0) } ?? .inherited)
  }

  private func watchCommands(_ setting: RunSetting, leadsSession: Bool) throws(SystemCallError) -> ExitStatus {
    var programs: [Program] = []
    for stage in stages {
      var program = try setting.program(stage)
      program.leadsSession = leadsSession
      // Killed, this process can pass on nothing and end nothing.
      program.parentDeathSignal = .terminate
      programs.append(program)
    }
    if hasLimit { try Descendants.adoptOrphans() }
    let signals = try RunWatch.queue()
    let deadline = timeout.map { Deadline(after: $0) } ?? .never
    let processes: PipelineProcesses
    var copy: BoundedCopy?
    if let outputLimit {
      Signal.brokenPipe.ignore()
      let pipe = try PipeEnds()
      let reading = pipe.readEnd
      processes = try Pipeline(programs).start(output: .descriptor(pipe.writeEnd.number))
      _ = consume pipe.writeEnd
      copy = try BoundedCopy(reading, atMost: outputLimit)
    } else {
      processes = try Pipeline(programs).start()
    }
    switch try RunWatch(processes, signals: signals, copy: copy).run(until: deadline) {
    case .ended: return conclude(processes.statuses.compactMap { $0 }, outputFailure: copy?.failure?.code)
    case .timeUp: return endAll(processes, copy, "still running after \(timeout.map(DurationText.render) ?? "")")
    case .outputExceeded: return endAll(processes, copy, "more than \(outputLimit ?? 0) bytes of output")
    }
  }

  private func endAll(_ processes: PipelineProcesses, _ copy: BoundedCopy?, _ reason: String) -> ExitStatus {
    command.complain("\(name): \(reason); ended")
    copy?.abandon()
    let haveAllEnded = Descendants.terminate(by: limitSignal, gracePeriod: gracePeriod) {
      _ = processes.statuses
      while Children.reapAny() != nil {}
    }
    if !haveAllEnded { command.complain("\(name): some of its processes cannot be ended: see ps") }
    // The status of timeout(1) for a command that had to be killed.
    let isKilled = processes.statuses.last == ExitStatus.killed(by: .kill, dumpedCore: false)
    return .exited(code: isKilled ? 128 + Signal.kill.rawValue : ExitStatuses.limitReached)
  }

  /// - Returns: how the last one that failed ended, else success.
  private func conclude(_ statuses: [ExitStatus], outputFailure: ErrorCode?) -> ExitStatus {
    // The reader of them all has left.
    let isLeft = statuses.last == Self.brokenPipe
    var failure: ExitStatus?
    for (place, status) in statuses.enumerated() where !status.isSuccess {
      let hasLostReader = status == Self.brokenPipe && place < statuses.count - 1
      if hasLostReader, !countsBrokenPipes { continue }
      failure = status
      if stages.count == 1 || isLeft && status == Self.brokenPipe { continue }
      command.complain("\(place + 1) of \(stages.count), \(stages[place].text): \(status)")
    }
    if let outputFailure {
      command.complain("write standard output: \(outputFailure)")
      return .exited(code: ExitStatuses.notStarted)
    }
    return failure ?? .exited(code: 0)
  }

  private static let brokenPipe = ExitStatus.killed(by: .brokenPipe, dumpedCore: false)

  private var name: String { stages.map(\.text).joined(separator: " | ") }
}
