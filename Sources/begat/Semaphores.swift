import ArgumentParser
import Clients
import Glibc

struct Semaphores: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sem",
    abstract: "Use a System V semaphore as a lock: 0 is free, 1 is taken.",
    subcommands: [Create.self, Take.self, Give.self, Show.self, Remove.self, List.self])

  func run() throws { throw Begat.missingCommand(of: Self.self) }

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "create",
      abstract: "Make the set of a key, and print its identifier.",
      discussion: "The exit status is 1 where the key has a set already.")

    @OptionGroup var key: KeyArgument

    @Option(help: ArgumentHelp("What each begins with: 0 is a free lock, at most 32767.", valueName: "n"))
    var value: UInt16 = 0

    @Option(help: ArgumentHelp("How many semaphores the set has.", valueName: "n"))
    var count = 1

    @OptionGroup var permissions: ModeOption

    func validate() throws {
      if value > 32767 { throw ValidationError("a semaphore is at most 32767") }
      if !(1...32000).contains(count) { throw ValidationError("a set has 1 to 32000 semaphores") }
    }

    func run() throws {
      let values = [UInt16](repeating: value, count: count)
      try finish(SemaphoreClient(key: key.key).create(values: values, mode: permissions.mode))
    }
  }

  struct Take: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "take",
      abstract: "Wait until a semaphore is 0 and make it 1; run a command under this lock.",
      usage: "begat sem take KEY [<options>] [--] COMMAND [ARGUMENT...]\nbegat sem take KEY [<options>]",
      discussion: """
        A key that has no set yet gets one. With --holders, so many hold the lock at the same time.

        With a command, this process becomes that command, found in PATH and run without a shell: its exit status is \
        the command's, signals go to the command, and the kernel gives the lock back when the command ends, also by \
        kill -9. What the command leaves running in the background is not under the lock any more.

        Without a command the lock stays taken until it is given back (begat sem give): there is no process whose \
        end could undo it.

        The exit status is 75 where the semaphore is still taken when the time is up, 125 where the lock failed, 127 \
        where the command is not found and 126 where it cannot be run.
        """)

    @OptionGroup var lock: LockArguments

    @Option(help: ArgumentHelp("How long to wait (default: forever).", valueName: "time"), transform: readDuration)
    var timeout: Duration?

    @Flag(help: "Do not wait.")
    var noWait = false

    @OptionGroup var permissions: ModeOption

    @Argument(
      parsing: .postTerminator, help: ArgumentHelp("What to run.", valueName: "command"),
      completion: .commands)
    var command: [String] = []

    func validate() throws {
      if noWait, timeout != nil { throw ValidationError("--no-wait and --timeout exclude each other") }
    }

    func run() throws {
      let patience: SemaphoreClient.Patience = noWait ? .none : timeout.map { .limited($0) } ?? .endless
      let status = lock.client.take(patience, mode: permissions.mode, for: userCommand())
      if status != 0 { throw ExitCode(status) }
    }
  }

  struct Give: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "give",
      abstract: "Give back what begat sem take without a command, or another program, has taken.",
      discussion: """
        Without --holders, the kernel does not know which process holds the lock: one that a command holds (begat sem \
        take KEY COMMAND) is free then, though the command runs. With --holders, the places of commands cannot be given \
        back. The exit status is 1 if nothing is taken.
        """)

    @OptionGroup var lock: LockArguments

    func run() throws { try finish(lock.client.give()) }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Show the values of a key's set, how many wait, and who was the last.")

    @OptionGroup var key: KeyArgument

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws { try finish(SemaphoreClient(key: key.key).show(json: json)) }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show all sets of this machine.")

    @Flag(help: "Print one JSON array.")
    var json = false

    func run() throws { try finish(SemaphoreClient.list(json: json)) }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove",
      abstract: "Remove a key's set; who waits for it fails.")

    @OptionGroup var key: KeyArgument

    func run() throws { try finish(SemaphoreClient(key: key.key).remove()) }
  }
}

/// Which semaphore.
struct LockArguments: ParsableArguments {
  @OptionGroup var key: KeyArgument

  @Option(help: ArgumentHelp("Which semaphore of the set.", valueName: "n"))
  var index = 0

  @Option(
    help: ArgumentHelp(
      "How many may hold the lock at the same time (default: 1); the same number for all that use it.", valueName: "n"))
  var holders: UInt16 = 1

  @Flag(help: "Also where another user made the set.")
  var anyMaker = false

  var client: SemaphoreClient {
    var client = SemaphoreClient(key: key.key, index: index, trustsAnybody: anyMaker)
    client.holders = holders
    return client
  }

  func validate() throws {
    if !(0...31999).contains(index) { throw ValidationError("--index is from 0 to 31999") }
    if !(1...32767).contains(holders) { throw ValidationError("--holders is from 1 to 32767") }
    if holders > 1, index != 0 { throw ValidationError("--holders and --index exclude each other") }
  }
}

struct KeyArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A number such as 1234 or 0x4d2, or the path of a file that the key is made of as by ftok(3), with a / in it; "
        + "PATH:PROJECT where the project is not 1.", valueName: "key"),
    completion: .file(), transform: readKey)
  var key: KeyName
}

struct ModeOption: ParsableArguments {
  @Option(
    help: ArgumentHelp("Permissions, as chmod(1) writes them in digits (default: 0600).", valueName: "mode"),
    transform: readMode)
  var mode: mode_t = 0o600
}

func readKey(_ text: String) throws -> KeyName {
  do throws(KeyName.Problem) { return try KeyName(text) } catch { throw ValidationError(error.description) }
}

func readMode(_ text: String) throws -> mode_t {
  guard let mode = ModeText.parse(text) else {
    throw ValidationError("permissions are three octal digits such as 600 or 0660")
  }
  return mode
}

/// Ends the command as it went.
func finish(_ isSuccess: Bool) throws {
  if !isSuccess { throw ExitCode.failure }
}
