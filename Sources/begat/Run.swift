import ArgumentParser
import Clients
@_spi(Begat) import UnixCore

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a command without a shell: as another user, with limits, or one behind the other.",
    usage: "begat run [<options>] [--] COMMAND [ARGUMENT...] ['|' COMMAND [ARGUMENT...]]...",
    discussion: """
      A word | that stands for itself, quoted to the shell, divides commands of which each reads what the one before it \
      writes. Of these, each one that fails is named on standard error, and the exit status is that of the last one \
      that failed. One whose reader has had enough has not failed, unless --pipefail says so.

      With neither a limit nor a |, this process becomes the command. Else signals are passed on to it. What a signal \
      ends has it end begat too, which shells show as 128 + its number. The exit status is 124 where a limit ended it, \
      137 where it had to be killed for that, 125 where begat run itself failed, 127 where a command is not found and \
      126 where it cannot be run.
      """)

  @Option(
    help: ArgumentHelp(
      "Run as this user, with the user's groups and a new environment: HOME, USER, LOGNAME, SHELL, PATH and TERM. "
        + "A name or a number, which needs no entry. Needs root, or CAP_SETUID and CAP_SETGID.",
      valueName: "user[:group]"), completion: .users)
  var user: String?

  @Option(
    help: ArgumentHelp(
      "Run with this primary group, by name or number, in the place of the user's own. Needs root, or CAP_SETUID and "
        + "CAP_SETGID.",
      valueName: "group"))
  var group: String?

  @Option(
    help: ArgumentHelp("Run there, where the user must be allowed to be.", valueName: "dir"), completion: .directory)
  var directory: String?

  @Flag(help: "Make a new environment as --user does.")
  var cleanEnvironment = false

  @Option(
    help: ArgumentHelp(
      "End all that was started after this time: seconds, or a time as in 500ms.",
      valueName: "time"),
    transform: readTimeLimit)
  var timeout: Duration?

  @Option(
    help: ArgumentHelp(
      "Pass on so many bytes of output at most, as in 2000, 4K, 16M or 1G, and end what prints more.",
      valueName: "size"),
    transform: readSize)
  var maxOutput: Int?

  @Option(
    name: [.customShort("s"), .long],
    help: ArgumentHelp("What a limit sends first (default: TERM).", valueName: "signal"), completion: .signals,
    transform: readSignal)
  var signal: Signal?

  @Option(
    name: [.customShort("k"), .long],
    help: ArgumentHelp("How long what a limit ends has until SIGKILL (default: 2s).", valueName: "time"),
    transform: readDuration)
  var killAfter: Duration?

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Run in a session without a terminal, into which the command can type nothing (default: where another user's "
        + "command would share this one's terminal)."))
  var newSession: Bool?

  @Flag(help: "Count a command as failed that SIGPIPE ended, because its reader has left.")
  var pipefail = false

  @Option(help: ArgumentHelp("What divides commands, where one needs | itself.", valueName: "word"))
  var separator = "|"

  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("What to run.", valueName: "command"), completion: .commands)
  var words: [String] = []

  private var stages: [UserCommand] { userCommand().split(at: separator) }

  func validate() throws {
    if words.isEmpty { throw ValidationError("there is no command to run") }
    if stages.contains(where: \.isEmpty) { throw ValidationError("there is no command on one side of \(separator)") }
    if timeout == nil, maxOutput == nil, signal != nil || killAfter != nil {
      throw ValidationError("--signal and --kill-after belong to a limit: --timeout or --max-output")
    }
    if directory == "" { throw ValidationError("--directory names no place") }
  }

  func run() throws {
    var client = RunClient(stages: stages)
    client.user = user
    client.group = group
    client.directory = directory
    client.cleansEnvironment = cleanEnvironment
    client.timeout = timeout
    client.outputLimit = maxOutput
    if let signal { client.limitSignal = signal }
    if let killAfter { client.gracePeriod = killAfter }
    client.leadsSession = newSession
    client.countsBrokenPipes = pipefail
    let status = client.run()
    if status != 0 { throw ExitCode(status) }
  }
}
