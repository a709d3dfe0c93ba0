import ControlProtocol
import Glibc
import NetworkServices
import Settings
@_spi(Begat) import UnixCore

/// Lays out the programs that a listener runs, from its settings.
struct ProgramLoader {
  let options: ListenerOptions
  /// The limit of pending signals as the listener found it: what it raised for itself is not for programs.
  let pendingSignals: (soft: UInt64, hard: UInt64)?

  private static let path = "PATH=\(ProgramSettings.searchPath)"

  /// A program that gets a connection: it leads a group, so that it can be ended with all that it starts.
  func perConnection() throws(SystemCallError) -> PreparedProgram {
    var program = try program(options.service.exec)
    program.leadsGroup = true
    return PreparedProgram(program)
  }

  /// A program behind a relay, whose group it belongs to.
  func relayed() throws(SystemCallError) -> PreparedProgram { PreparedProgram(try program(options.service.exec)) }

  /// A program that gets a listening socket.
  func handover() throws(SystemCallError) -> PreparedProgram {
    var program = try program(options.service.exec)
    program.leadsGroup = true
    program.setsListenPID = true
    program.environment = program.environment.updating(["LISTEN_FDS": "1", "LISTEN_FDNAMES": options.name])
    return PreparedProgram(program)
  }

  /// The commands of the command server.
  func commands() throws(SystemCallError) -> [AddedCommands.Command] {
    var commands: [AddedCommands.Command] = []
    for command in options.commands {
      var program = try program(command.words)
      program.leadsGroup = true
      commands.append(AddedCommands.Command(name: command.name, program: PreparedProgram(program)))
    }
    return commands
  }

  private func program(_ words: [String]) throws(SystemCallError) -> Program {
    let settings = options.program
    let path = words.first ?? ""
    guard access(path, X_OK) == 0 else { throw SystemCallError("execve", on: path, code: ErrorCode(rawValue: errno)) }
    let hasPath = settings.environment.contains { $0.name == "PATH" }
    let environment = (hasPath ? [] : [ProgramLoader.path]) + settings.environment.map(\.entry)
    var program = Program(
      path: path, arguments: Array(words.dropFirst()), environment: Program.Environment(entries: environment.map { Array($0.utf8) }),
      directory: settings.workingDirectory)
    program.umask = settings.umask
    program.nice = settings.nice
    program.parentDeathSignal = .kill
    // A core would lie in the working directory, which may be one that is served.  The program may raise it again.
    if let hard = try? ResourceLimit.coreSize.current().hard {
      program.limits.append(Program.Limit(.coreSize, soft: 0, hard: hard))
    }
    if let pendingSignals {
      program.limits.append(
        Program.Limit(.pendingSignals, soft: pendingSignals.soft, hard: pendingSignals.hard))
    }
    let limits: [(ResourceLimit, UInt64?)] = [
      (.addressSpace, settings.limitMemory), (.fileSize, settings.limitFileSize), (.processorTime, settings.limitCPU),
      (.openFiles, settings.limitOpenFiles), (.processes, settings.limitProcesses),
    ]
    for (resource, limit) in limits {
      if let limit { program.limits.append(Program.Limit(resource, soft: limit, hard: limit)) }
    }
    return program
  }
}
