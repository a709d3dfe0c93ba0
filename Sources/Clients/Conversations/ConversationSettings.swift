@_spi(Begat) import UnixCore

/// What the commands that hold a conversation with a program have in common.
public struct ConversationSettings: Sendable {
  /// The program's words; found in `PATH` and run without a shell.
  public var command: UserCommand
  public var steps: [ConversationStep]
  /// Of each step.
  public var limit = Duration.seconds(10)
  /// Whether what the program writes is kept back during the steps.
  public var isQuiet = false
  /// Whether standard input is left alone.
  public var ignoresInput = false

  public init(command: UserCommand, steps: [ConversationStep]) {
    self.command = command
    self.steps = steps
  }

  /// The program, with the caller's environment but for what is sent to it instead.
  func program() throws(SystemCallError) -> Program {
    let secrets = steps.compactMap { if case .sendEnvironment(let name) = $0 { name + "=" } else { nil } }
    let environment = Program.Environment.inherited.entries.filter { variable in
      !secrets.contains { variable.starts(with: $0.utf8) }
    }
    return try command.program(environment: Program.Environment(entries: environment))
  }
}
