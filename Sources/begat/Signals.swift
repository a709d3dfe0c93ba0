import ArgumentParser
import Clients
import Glibc
@_spi(Begat) import UnixCore

struct Signals: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "signals",
    abstract: "Show the signals of this machine, their names and what they do.",
    discussion: "The exit status is 1 where a name is no signal's; the others are shown.")

  @Argument(
    help: ArgumentHelp("Show only these: TERM, SIGTERM, 15, RTMIN+3.", valueName: "signal"), completion: .signals)
  var names: [String] = []

  @Flag(help: "Print one JSON array.")
  var json = false

  mutating func add(_ words: [String]) { names += words }

  func run() throws {
    if !SignalsClient(names: names, printsJSON: json).run() { throw ExitCode.failure }
  }
}

struct SendSignal: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "signal",
    abstract: "Send a signal to processes or process groups.",
    usage: "begat signal [--group] SIGNAL PID...\nbegat signal --own-group SIGNAL",
    discussion: """
      Each process is held by a descriptor from the moment that it is found: the signal reaches it or no process. One that \
      is not reached has a line on standard error, the others get the signal, and the exit status is 1.
      """)

  @Argument(
    help: ArgumentHelp("TERM, SIGTERM, 15, RTMIN+3, ….", valueName: "signal"), completion: .signals,
    transform: readSignal)
  var signal: Signal

  @Argument(
    help: ArgumentHelp("A process, by number.", valueName: "pid"), completion: .processes, transform: readProcess)
  var processes: [pid_t] = []

  @Flag(help: "Signal the process groups that these processes lead.")
  var group = false

  @Flag(help: "Signal the process group of this command, such as the script that runs it, but not the command itself.")
  var ownGroup = false

  mutating func add(_ words: [String]) throws { processes += try readProcesses(words) }

  func validate() throws {
    if ownGroup, group || !processes.isEmpty { throw ValidationError("--own-group names all that get the signal") }
    if !ownGroup, processes.isEmpty { throw ValidationError("the number of a process is missing") }
    // kill(2) takes it for every process.
    if group, processes.contains(1) { throw ValidationError("the group of process 1 cannot be signalled") }
  }

  func run() throws {
    let receivers: SignalClient.Receivers =
      if ownGroup { .ownGroup } else if group { .groups(processes) } else { .processes(processes) }
    if !SignalClient(signal, to: receivers).run() { throw ExitCode.failure }
  }
}

struct Alive: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "alive",
    abstract: "Tell whether processes are there: alive, gone, or not ours.",
    discussion: """
      Not ours is what runs and may not be signalled. The exit status is 1 where one is gone; with --wait, where one \
      is still there at the end.
      """)

  @Argument(
    help: ArgumentHelp("A process, by number.", valueName: "pid"), completion: .processes, transform: readProcess)
  var processes: [pid_t]

  @Flag(help: "Wait until all of them have ended.")
  var wait = false

  @Option(help: ArgumentHelp("How long to wait (default: forever).", valueName: "time"), transform: readDuration)
  var timeout: Duration?

  @Flag(help: "Print one JSON array.")
  var json = false

  mutating func add(_ words: [String]) throws { processes += try readProcesses(words) }

  func validate() throws {
    if timeout != nil, !wait { throw ValidationError("--timeout goes with --wait only") }
  }

  func run() throws {
    let question: AliveClient.Question = wait ? .whetherGone(within: timeout) : .whetherThere
    if !AliveClient(processes, question: question, printsJSON: json).run() { throw ExitCode.failure }
  }
}

func readSignal(_ text: String) throws -> Signal {
  if let signal = Signal(text) { return signal }
  // kill(1)'s way to ask.
  throw ValidationError(
    text == "0" ? "0 sends nothing: begat alive tells whether a process is there" : "no such signal; see begat signals")
}

/// Reads what the parser has not seen, with its words for what is wrong.
private func readProcesses(_ words: [String]) throws -> [pid_t] {
  try words.map { word in
    do { return try readProcess(word) } catch {
      throw ValidationError("the value '\(word)' is invalid for '<pid>': \(error)")
    }
  }
}
