import Glibc
import UnixIPC

/// The commands that an administrator added to the command server: programs whose output is the answer.
public struct AddedCommands: Sendable {
  /// How long a command may take, and how many bytes of its output are sent.
  static let timeLimit: Duration = .seconds(10)
  static let longestOutput = 65_536

  /// A command as clients type it, and what it runs.
  public struct Command: Sendable {
    let name: String
    let program: PreparedProgram

    /// - Parameter program: leads a group of its own, so that it can be ended with all that it starts.
    public init(name: String, program: PreparedProgram) {
      self.name = name
      self.program = program
    }
  }

  private let commands: [Command]
  /// Open descriptors: an empty input, and where standard error goes.
  private let input: CInt
  private let errors: CInt

  public init(_ commands: [Command] = [], input: CInt = 0, errors: CInt = 2) {
    self.commands = commands
    self.input = input
    self.errors = errors
  }

  var names: [String] { commands.map(\.name) }

  /// The command of this name, in whatever case it was typed.
  func find(_ word: UntrustedBytes) -> Command? { commands.first { word.isWord($0.name, ignoringCase: true) } }

  /// Runs the command and sends its output, with CRLF at the ends of lines.
  func run(_ command: Command, in reply: inout Reply, of connection: inout Connection) throws(ConnectionFailure) {
    let running: RunningProgram
    do throws(CallFailure) { running = try start(command, for: connection.clientVariables) } catch {
      Descriptor.withLent(errors) { log in try? log.writeAll("\(command.name): \(error)\n") }
      return try reply.append("The command cannot be run; the log has the reason.\r\n", to: &connection)
    }
    // Whatever happens to the client: no program is left behind.
    let end: OutputEnd
    do throws(ConnectionFailure) {
      end = try AddedCommands.send(running.stream, to: &reply, of: &connection)
    } catch {
      AddedCommands.end(running.process)
      throw error
    }
    AddedCommands.end(running.process)
    switch end {
    case .complete: break
    case .cut: try reply.append("\r\n(The rest of the output is left out.)\r\n", to: &connection)
    case .late: try reply.append("\r\n(The command took too long and was ended.)\r\n", to: &connection)
    }
  }

  private func start(_ command: Command, for client: ClientVariables) throws(CallFailure) -> RunningProgram {
    let pipe = try Pipe.open()
    let child = try command.program.start(descriptors: [input, pipe.writing.number, errors]) { client.write(to: &$0) }
    return RunningProgram(process: child, stream: pipe.reading)
  }

  private enum OutputEnd {
    case complete
    case cut
    case late
  }

  private static func send(_ output: borrowing Descriptor, to reply: inout Reply, of connection: inout Connection)
    throws(ConnectionFailure) -> OutputEnd
  {
    let deadline = Clock.monotonic() + timeLimit.nanoseconds
    var left = longestOutput
    return try withBuffer(1024) { (buffer) throws(ConnectionFailure) in
      while true {
        let milliseconds = (deadline - Clock.monotonic()) / 1_000_000
        guard milliseconds > 0, output.waitUntilReadable(milliseconds: CInt(milliseconds)) else { return .late }
        let count: Int
        do throws(Errno) { count = try output.read(into: buffer) } catch { throw .call(error) }
        if count == 0 { return .complete }
        try reply.append(
          lines: UnsafeRawBufferPointer(rebasing: buffer[..<min(count, left)]), to: &connection)
        left -= count
        if left < 0 { return .cut }
      }
    }
  }

  /// Ends what is left of the command and its group, and fetches it.
  private static func end(_ child: pid_t) {
    // A moment for one that has closed its output and is about to end.
    if !Children.awaitEnd(child, within: .milliseconds(100)) {
      try? Signal.terminate.send(toGroup: child)
      _ = Children.awaitEnd(child, within: .seconds(1))
    }
    // Not fetched yet: the number is still its group's.
    try? Signal.kill.send(toGroup: child)
    _ = try? Children.await(child)
  }
}
