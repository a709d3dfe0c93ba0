import ArgumentParser
import Clients

/// The steps of `begat interact` and `begat pipe`, and what else both know.
struct ConversationOptions: ParsableArguments {
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Step: wait until the program has written this; escapes as for --send.", valueName: "text"))
  var expect: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Step: wait until what it has written matches.", valueName: "regex"))
  var expectRegex: [String] = []

  @Flag(name: .customLong("line"), help: "Step: wait for one line, and show it even with --quiet.")
  var lines: Int

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Step: send this. Escapes are \\n \\r \\t \\a \\b \\f \\v \\e \\0 \\\\, \\xHH, and \\cX for Control-X.",
      valueName: "text"))
  var send: [String] = []

  @Option(
    parsing: .unconditionalSingleValue, help: ArgumentHelp("Step: send what is in this file.", valueName: "file"),
    completion: .file())
  var sendFile: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Step: send the value of this variable, which the program does not get: for passwords.", valueName: "name"),
    completion: .variables)
  var sendEnvironment: [String] = []

  @Flag(name: .customLong("end"), help: "Step: end the program's input.")
  var ends: Int

  @Flag(name: .customLong("expect-end"), help: "Step: wait until the program has ended; the last one.")
  var expectEnds: Int

  @Option(
    help: ArgumentHelp(
      "How long each step may take: seconds, or a time as in 500ms (default: 10).", valueName: "time"),
    transform: readTimeLimit)
  var timeout: Duration?

  @Flag(help: "Show nothing of what the program writes before the steps are done.")
  var quiet = false

  @Flag(help: "Leave standard input alone.")
  var noInput = false

  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("What to run.", valueName: "command"), completion: .commands)
  var command: [String] = []

  private var stepCount: Int {
    expect.count + expectRegex.count + lines + send.count + sendFile.count + sendEnvironment.count + ends + expectEnds
  }

  /// - Parameter otherSteps: how many steps of the subcommand's own there are.
  func settings(otherSteps: Int = 0) throws -> ConversationSettings {
    guard !command.isEmpty else { throw ValidationError("there is no command to run") }
    let words = Begat.words
    let steps: [ConversationStep]
    do throws(ConversationStep.Problem) {
      steps = try ConversationStep.inOrder(
        Array(words.marked.dropFirst()), optionsWithValue: words.form?.optionsWithValue ?? [])
    } catch { throw ValidationError(error.description) }
    guard steps.count == stepCount + otherSteps else {
      throw ValidationError("write each option and its value as --option=value")
    }
    if timeout != nil, steps.isEmpty {
      throw ValidationError("--timeout is for steps, and there is none: begat run has one for the whole command")
    }
    var settings = ConversationSettings(command: userCommand(), steps: steps)
    if let timeout { settings.limit = timeout }
    settings.isQuiet = quiet
    settings.ignoresInput = noInput
    return settings
  }
}
