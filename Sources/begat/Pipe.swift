import ArgumentParser
import Clients

struct Pipe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipe",
    abstract: "Run a program on pipes, take steps with it, and join standard input and output to it.",
    usage: "begat pipe [STEP...] [<options>] [--] COMMAND [ARGUMENT...]",
    discussion: """
      The steps are taken in the order in which they stand, as in 'begat pipe --send "6*7\\n" --line --end -- bc'. A \
      step that fails ends the program. Then standard input goes to the program and what it writes to standard output, \
      both at once and byte for byte, until it ends; after the step --end, standard input is left alone.

      Most programs write to a pipe only when they have some thousand bytes, or at their end: with those no line comes \
      and no text, and a step waits in vain. Where they have no option against it, as cat -u has, use begat interact: \
      on a terminal they write line by line.

      The exit status is the program's (128+n where signal n ended it), 1 where a step failed, 126 or 127 where the \
      program cannot be run or is not found.
      """)

  @OptionGroup var conversation: ConversationOptions

  @Option(
    help: ArgumentHelp("Write the program's standard error to this file, which is emptied first.", valueName: "file"),
    completion: .file())
  var errors: String?

  @Flag(
    help: ArgumentHelp(
      "Write both outputs to standard output, each line when it is whole, with \"out: \" or \"err: \" in front."))
  var label = false

  private func settings() throws -> ConversationSettings {
    try conversation.settings()
  }

  func validate() throws { _ = try settings() }

  func run() throws {
    var client = PipeClient(try settings())
    client.errors = errors
    client.labels = label
    let status = client.run()
    if status != 0 { throw ExitCode(status) }
  }
}
