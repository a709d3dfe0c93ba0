import Admission
import ArgumentParser
import Clients
import Control
import Monitoring
import Settings
@_spi(Begat) import UnixCore

struct Reload: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Let begatd read its configuration anew, without refusing or cutting a connection.",
    discussion: """
      A configuration that does not check, or whose addresses cannot be bound, is refused whole: everything goes on as \
      before, and the exit status is 78.
      """)

  @Flag(help: "Show what would change, and change nothing.")
  var dryRun = false

  @OptionGroup var options: ControlOptions

  func run() throws { try options.run(.reload(isDryRun: dryRun)) }
}

struct Drain: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Let services accept no more clients, and keep open connections.",
    usage: "begat drain [--wait[=TIME]] SERVICE...\nbegat drain [--wait[=TIME]] --all",
    discussion: """
      Clients are accepted until announce-time is over. A drained service stays so, also over a reload, until begat \
      resume or a new start of begatd. With --wait the exit status is 0 when the last connection has ended, and 1 if \
      some are open when the time is over.
      """)

  @OptionGroup var services: ServicesArguments

  @Flag(help: "Wait until the last connection has ended; --wait=10m waits at most so long.")
  var wait = false

  @Option(help: .hidden, transform: readTimeLimit)
  var waitLimit: Duration?

  @OptionGroup var options: ControlOptions

  mutating func add(_ words: [String]) { services.services += words }

  func run() throws {
    let wait: DrainWait = waitLimit.map { .atMost($0) } ?? (wait ? .untilDone : .none)
    try options.run(.drain(services.selection, wait: wait))
  }

  /// Options have a value or have none; this one may have one: `--wait=TIME` becomes another option.
  static func splittingWait(_ words: some Collection<String>) -> [String] {
    guard words.first == configuration.commandName else { return Array(words) }
    return words.map { $0.hasPrefix("--wait=") ? "--wait-limit=" + $0.dropFirst("--wait=".count) : $0 }
  }
}

struct Resume: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let drained services accept clients again.")

  @OptionGroup var services: ServicesArguments
  @OptionGroup var options: ControlOptions

  mutating func add(_ words: [String]) { services.services += words }

  func run() throws { try options.run(.resume(services.selection)) }
}

struct End: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "end",
    abstract: "End connections.",
    usage:
      "begat end ID|PID...\nbegat end --source NETWORK [--service NAME]\nbegat end --service NAME\nbegat end --all",
    discussion: """
      Connections are named as begat ps shows them: by an id, which never means another connection, or by a process, \
      which is ended only if it serves a connection now. SIGTERM ends them, and 5 s later SIGKILL.
      """)

  @Argument(help: ArgumentHelp("A connection, by its id or process.", valueName: "id or pid"), completion: .connections)
  var connections: [String] = []

  @Option(
    help: ArgumentHelp("Those of clients in this network, or with this address.", valueName: "network"),
    transform: readNetwork)
  var source: IPNetwork?

  @Option(help: ArgumentHelp("Those of this service.", valueName: "name"), completion: .runningServices)
  var service: String?

  @Flag(help: "Those of all services.")
  var all = false

  @OptionGroup var options: ControlOptions

  mutating func add(_ words: [String]) { connections += words }

  func validate() throws { _ = try selection() }

  func run() throws { try options.run(.end(try selection())) }

  private func selection() throws -> ConnectionSelection {
    switch (connections, source, service, all) {
    case ([], nil, nil, true): return .all
    case ([], nil, let service?, false): return .service(service)
    case ([], let source?, let service, false): return .source(source, service: service)
    case (let words, nil, nil, false) where !words.isEmpty: return .listed(try words.map(End.readName))
    default: throw ValidationError("name connections, or give one of --source, --service and --all")
    }
  }

  private static func readName(_ word: String) throws -> ConnectionName {
    if let id = ConnectionID(word) { return .id(id) }
    if let process = ProcessNumber.parse(word) { return .process(process) }
    throw ValidationError("\(quoted(word)): expected an id such as hello/1.17.1kpqzg2c, or the number of a process")
  }
}

struct Deny: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deny",
    abstract: "Refuse all clients of a network from now on.",
    discussion: """
      It holds over reloads and restarted listeners, until its time is over, begat allow, or begatd's end. begat status \
      shows what is denied. Open connections go on: begat end --source ends them.
      """)

  @Argument(
    help: ArgumentHelp("An address, or a network such as 192.0.2.0/24.", valueName: "network"), transform: readNetwork)
  var network: IPNetwork

  @Option(
    name: .customLong("for"), help: ArgumentHelp("How long, as in 10m (default: forever).", valueName: "time"),
    transform: readTimeLimit)
  var duration: Duration?

  @Option(help: ArgumentHelp("At this service only.", valueName: "name"), completion: .runningServices)
  var service: String?

  @OptionGroup var options: ControlOptions

  func run() throws { try options.run(.deny(network, service: service, duration: duration)) }
}

struct Allow: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "allow", abstract: "Take begat deny back.")

  @Argument(help: ArgumentHelp("The network, as it was denied.", valueName: "network"), transform: readNetwork)
  var network: IPNetwork

  @Option(
    help: ArgumentHelp("As it was denied: at this service only.", valueName: "name"), completion: .runningServices)
  var service: String?

  @OptionGroup var options: ControlOptions

  func run() throws { try options.run(.allow(network, service: service)) }
}

struct Upgrade: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade",
    abstract: "Let begatd go on as the version that is installed now, without refusing or cutting a connection.",
    discussion: """
      The file of begatd that is there now takes the place of the running program, in the same process and with the same \
      sockets; its listeners then take the place of those before. Before that, it is tried: if it does not start, or \
      cannot go on from here, the running program goes on, and the exit status is 1. So an older version can be \
      installed and put in force too.
      """)

  @OptionGroup var options: ControlOptions

  func run() throws { try options.run(.upgrade) }
}

struct Stop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Stop begatd, as SIGTERM does: open connections may end within drain-timeout.")

  @OptionGroup var options: ControlOptions

  func run() throws { try options.run(.stop) }
}
