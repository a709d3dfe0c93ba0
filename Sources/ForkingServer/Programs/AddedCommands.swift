import Glibc
import NetworkServices
import UnixIPC

/// The commands that an administrator added to the command server: programs whose output is the answer.
struct AddedCommands: AdditionalCommands {
  /// How long a command may take, and how many bytes of its output are sent.
  static let timeLimit: Duration = .seconds(10)
  static let longestOutput = 65_536

  /// A command as clients type it, and what it runs.
  struct Command: Sendable {
    let name: String
    let program: PreparedProgram

    /// - Parameter program: leads a group of its own, so that it can be ended with all that it starts.
    init(name: String, program: PreparedProgram) {
      self.name = name
      self.program = program
    }
  }

  private let commands: [Command]
  /// Open descriptors: an empty input, and where standard error goes.
  private let input: CInt
  private let errors: CInt

  init(_ commands: [Command], input: CInt, errors: CInt) {
    self.commands = commands
    self.input = input
    self.errors = errors
  }

  var names: [String] { commands.map(\.name) }

  func run(_ word: UntrustedBytes, in reply: inout Reply, of connection: inout Connection) throws(ConnectionFailure)
    -> Bool
  {
    guard let command = commands.first(where: { word.isWord($0.name, ignoringCase: true) }) else { return false }
    try run(command, in: &reply, of: &connection)
    return true
  }

  /// Runs the command and sends its output, with CRLF at the ends of lines.
  ///
  /// The time is this service's own meanwhile: the client's limits are for what the client is slow to do.
  private func run(_ command: Command, in reply: inout Reply, of connection: inout Connection) throws(ConnectionFailure)
  {
    var end = OutputEnd.complete
    do {
      // Whatever happens, a stop too: no program is left behind.  SIGTERM stays pending until then.
      end = try SignalQueue.with(SignalSet(.terminate)) { stops in
        let running = try start(command, for: connection.clientVariables)
        var output = CommandOutput(longest: AddedCommands.longestOutput, idle: connection.limits.idle)
        let deadline = Deadline(after: AddedCommands.timeLimit)
        let end = output.carry(running.stream, to: &connection, until: deadline, stop: stops.descriptor.number)
        let isHurried = end == .stopped || end == .late
        AddedCommands.end(running.process, patience: isHurried ? .zero : .milliseconds(100))
        return end
      }
    } catch {
      Descriptor.withLent(errors) { log in try? log.writeAll("\(command.name): \(error)\n") }
      return try reply.append("The command cannot be run; the log has the reason.\r\n", to: &connection)
    }
    switch end {
    case .complete: break
    case .cut: try reply.append("\r\n(The rest of the output is left out.)\r\n", to: &connection)
    case .late: try reply.append("\r\n(The command took too long and was ended.)\r\n", to: &connection)
    case .clientIdle: throw connection.endProcess(missing: .idle)
    case .stopped, .clientClosed: throw .clientClosed
    case .failed(let errno): throw .call(errno)
    }
  }

  private func start(_ command: Command, for client: ClientVariables) throws(CallFailure) -> RunningProgram {
    let pipe = try Pipe.open()
    let child = try command.program.start(descriptors: [input, pipe.writing.number, errors]) { client.write(to: &$0) }
    return RunningProgram(process: child, stream: pipe.reading)
  }

  /// Ends what is left of the command and its group, and reaps it.
  ///
  /// - Parameter patience: a moment for one that has closed its output and is about to end.
  private static func end(_ child: pid_t, patience: Duration) {
    if !Children.awaitEnd(child, within: patience) {
      try? Signal.terminate.send(toGroup: child)
      // Less than the second after which the listener ends this process.
      _ = Children.awaitEnd(child, within: patience == .zero ? .milliseconds(500) : .seconds(1))
    }
    // Not reaped yet: the number is still its group's.
    try? Signal.kill.send(toGroup: child)
    _ = try? Children.await(child)
  }
}
