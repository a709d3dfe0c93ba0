import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// The commands that an administrator added to the command server: programs whose output is the answer.
struct AddedCommands: AdditionalCommands {
  /// How long a command may take, and how many bytes of its output are sent.
  static let timeLimit: Duration = .seconds(10)
  static let longestOutput = 65_536

  /// A command as clients type it, and what it runs.
  struct Command {
    let name: String
    let program: PreparedProgram

    /// - Parameter program: leads a group of its own, so that it can be ended with all that it starts.
    init(name: String, program: PreparedProgram) {
      self.name = name
      self.program = program
    }
  }

  private let commands: [Command]
  /// Open descriptors: an empty input, and the target of standard error.
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
    // The output does not go through the reply, and answers to earlier lines may wait there.
    try reply.send(to: &connection)
    var end = OutputEnd.complete
    do {
      // No program is left behind, not even by a stop: SIGTERM stays pending until the program has ended.
      end = try SignalQueue.with(SignalSet(.terminate)) { stops in
        let running = try start(command, for: connection.clientVariables)
        var output = CommandOutput(longest: AddedCommands.longestOutput, idle: connection.limits.idle)
        let deadline = Deadline(after: AddedCommands.timeLimit)
        let end = output.carry(running.stream, to: &connection, until: deadline, stop: stops.descriptor.number)
        let isHurried = end == .stopped || end == .late
        AddedCommands.end(running.process, gracePeriod: isHurried ? .zero : .milliseconds(100))
        return end
      }
    } catch {
      Descriptor.withBorrowed(errors) { log in try? log.writeAll("\(command.name): \(error)\n") }
      return try reply.append("The command cannot be run; the log has the reason.\r\n", to: &connection)
    }
    switch end {
    case .complete: break
    case .cut: try reply.append("\r\n(The rest of the output is left out.)\r\n", to: &connection)
    case .late: try reply.append("\r\n(The command took too long and was ended.)\r\n", to: &connection)
    case .clientIdle: throw connection.endProcess(missing: .idle)
    case .stopped, .clientClosed: throw .clientClosed
    case .failed(let code): throw .call(code)
    }
  }

  private func start(_ command: Command, for client: ClientVariables) throws(SystemCallError) -> RunningProgram {
    let pipe = try PipeEnds()
    let child = try command.program.start(descriptors: [input, pipe.writeEnd.number, errors]) { client.write(to: &$0) }
    return RunningProgram(process: child, stream: pipe.readEnd)
  }

  /// Ends the command and what is left of its group, and reaps the command.
  ///
  /// - Parameter gracePeriod: a moment for one that has closed its output and is about to end.
  private static func end(_ child: pid_t, gracePeriod: Duration) {
    if (try? Children.waitForExit(of: child, until: Deadline(after: gracePeriod))) != true {
      try? Signal.terminate.send(toGroup: child)
      // In a hurry, less than the time after which the listener kills this process (`Drain.shortGracePeriod`).
      let rest: Duration = gracePeriod == .zero ? .milliseconds(200) : .seconds(1)
      _ = try? Children.waitForExit(of: child, until: Deadline(after: rest))
    }
    // Not reaped yet: the number is still its group's.
    try? Signal.kill.send(toGroup: child)
    _ = try? Children.wait(for: child)
  }
}
