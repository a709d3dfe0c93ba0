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
  /// How many bytes of output are passed on.
  public var outputLimit: Int?

  private let command = CommandRun(command: "begat run")

  public init(stages: [UserCommand]) { self.stages = stages }

  /// - Returns: the exit status; where a signal ended the last command that failed, it ends this process too.
  public func run() -> CInt {
    let status = command.attempt(failure: .exited(code: ExitStatuses.failure)) { () -> ExitStatus in
      let setting = try RunSetting(
        user: user, group: group, directory: directory, cleaningEnvironment: cleansEnvironment)
      do throws(SystemCallError) {
        if stages.count == 1, timeout == nil, outputLimit == nil { try becomeCommand(setting) }
        return try watchCommands(setting)
      } catch {
        if error.call == "chdir" { throw setting.refusal(error) }
        guard error.call == "execve" else { throw error }
        return .exited(code: command.complain(ofCommand: error))
      }
    }
    switch status {
    case .exited(let code): return code
    case .killed(let signal, _): return ProcessEnd.by(signal)
    case .unknown: return ExitStatuses.failure
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

  private func watchCommands(_ setting: RunSetting) throws(SystemCallError) -> ExitStatus {
    var programs: [Program] = []
    for stage in stages { programs.append(try setting.program(stage)) }
    if timeout != nil || outputLimit != nil { try Descendants.adoptOrphans() }
    // Ignored, it would take the statuses away.
    if try Signal.child.disposition == .ignored { Signal.child.restoreDefault() }
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
    case .timeUp: return endAll(copy, "still running after \(timeout.map(DurationText.render) ?? "")")
    case .outputExceeded: return endAll(copy, "more than \(outputLimit ?? 0) bytes of output")
    }
  }

  private func endAll(_ copy: BoundedCopy?, _ reason: String) -> ExitStatus {
    command.complain("\(name): \(reason); ended")
    copy?.abandon()
    if !Descendants.terminate(gracePeriod: .seconds(2)) {
      command.complain("\(name): some of its processes cannot be ended: see ps")
    }
    return .exited(code: ExitStatuses.limitReached)
  }

  /// - Returns: how the last one that failed ended, else success.
  private func conclude(_ statuses: [ExitStatus], outputFailure: ErrorCode?) -> ExitStatus {
    let isLeft = statuses.last == Self.brokenPipe
    for (place, status) in statuses.enumerated() where stages.count > 1 && !status.isSuccess {
      // The reader of them all has left, which is no failure.
      if isLeft, status == Self.brokenPipe { continue }
      command.complain("\(place + 1) of \(stages.count), \(stages[place].text): \(status)")
    }
    if let outputFailure {
      command.complain("standard output: \(outputFailure)")
      return .exited(code: ExitStatuses.failure)
    }
    return statuses.last { !$0.isSuccess } ?? .exited(code: 0)
  }

  private static let brokenPipe = ExitStatus.killed(by: .brokenPipe, dumpedCore: false)

  private var name: String { stages.map(\.text).joined(separator: " | ") }
}
