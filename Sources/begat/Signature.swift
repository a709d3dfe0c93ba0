import ArgumentParser
import Clients

struct Signature: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "signature",
    abstract: "Serve a named pipe of which each reader gets a name and a fresh fortune: ~/.signature.",
    usage: "begat signature [<options>]\nbegat signature [<options>] [--] COMMAND [ARGUMENT...]",
    discussion: """
      Mail and news programs read the pipe as they read any file. It runs until SIGTERM, SIGINT, SIGQUIT or SIGHUP, \
      and removes the pipe then. What stands at the place and is no pipe of this user is left alone.

      With a command, what that prints stands below the name: it is run anew for each reader, without a shell. Where \
      it fails, takes too long or prints too much, that is said on standard error, and the reader gets the name only.
      """)

  @Option(
    help: ArgumentHelp("Where (default: .signature in the home directory).", valueName: "file"), completion: .file())
  var fifo: String?

  @Option(
    help: ArgumentHelp(
      "A line above the text, instead of the user's name and address; several times for several lines, empty for none.",
      valueName: "text"))
  var name: [String] = []

  @Option(
    help: ArgumentHelp(
      "A database of fortunes or a directory of them; may be given several times (default: the system's).",
      valueName: "path"), completion: .file())
  var fortunes: [String] = []

  @Option(
    help: ArgumentHelp("How long the command may run: seconds, or a time as in 500ms (default: 5).", valueName: "time"),
    transform: readTimeLimit)
  var timeout: Duration?

  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("What to run for each reader, after --.", valueName: "command"),
    completion: .commands)
  var command: [String] = []

  func validate() throws {
    if fifo == "" { throw ValidationError("--fifo names no file") }
    if !command.isEmpty, !fortunes.isEmpty { throw ValidationError("--fortunes and a command exclude each other") }
    if command.isEmpty, timeout != nil { throw ValidationError("--timeout goes with a command only") }
  }

  func run() throws {
    let client = SignatureClient(
      path: fifo, names: name.isEmpty ? nil : name.filter { !$0.isEmpty }, fortunes: fortunes,
      command: userCommand(),
      commandLimit: timeout ?? .seconds(5))
    let status = client.run()
    if status != 0 { throw ExitCode(status) }
  }
}
