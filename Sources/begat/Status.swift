import Administration
import Admission
import ArgumentParser
import Control
import Settings

struct Status: OperandTaker {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show begatd's services: state, connections, rates, refusals, addresses.",
    discussion: """
      RATE, 1MIN and 15MIN are connections per second: in the last second, minute and quarter of an hour. Rows of \
      datagrams show how many were answered and how many refused. "+2" behind a state: two former listeners of the \
      service have connections still. With the names of services, everything about \
      these is shown, one topic per line. On a terminal, columns that do not fit are left out. The exit status is 1 if no \
      begatd answers. With --check it is 0 if begatd and all services, or those named, accept clients and will go on \
      doing so, and 1 otherwise, with a line for each reason.
      """)

  @Argument(help: ArgumentHelp("Show this service in detail.", valueName: "service"), completion: .runningServices)
  var services: [String] = []

  @Flag(help: "Report only whether clients should come, as exit status 0 or 1.")
  var check = false

  @OptionGroup var watching: WatchOptions
  @OptionGroup var metrics: MetricsOptions
  @OptionGroup var options: ControlOptions

  mutating func add(_ words: [String]) { services += words }

  func validate() throws {
    if options.json { try metrics.ensureAbsent(beside: "--json") }
    if watching.interval != nil { try metrics.ensureAbsent(beside: "--watch") }
    if !services.isEmpty { try metrics.ensureAbsent(beside: "the name of a service") }
    guard check else { return }
    try metrics.ensureAbsent(beside: "--check")
    if options.json { throw ValidationError("--json and --check exclude each other") }
    if watching.interval != nil { throw ValidationError("--watch and --check exclude each other") }
  }

  func run() throws {
    guard !metrics.prometheus else { return try metrics.run(socket: options.control) }
    guard !check else {
      let status = ReadinessCommand(socket: options.control, services: services).run()
      if status != 0 { throw ExitCode(status) }
      return
    }
    try options.run(.status, showing: services.isEmpty ? .whole : .services(services), every: watching.interval)
  }
}

struct Ps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps",
    abstract: "Show open connections.",
    discussion: """
      A connection has an id, which no other has after it: begat end takes it. IN and OUT are bytes, and - where a \
      program has the connection to itself. On a terminal, columns that do not fit are left out.
      """)

  @Argument(help: ArgumentHelp("Only those of this service.", valueName: "service"), completion: .runningServices)
  var service: String?

  @OptionGroup var selection: ConnectionOptions
  @Flag(help: "Sort in the opposite order.")
  var reverse = false

  @OptionGroup var watching: WatchOptions
  @OptionGroup var options: ControlOptions

  func run() throws {
    try options.run(
      .connections(service: service), showing: .connections(selection.filter, selection.sort, isReversed: reverse),
      every: watching.interval)
  }
}

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Show services and connections on the whole terminal, again and again.",
    discussion: """
      Keys: q quits; the arrow keys select a connection and, after Tab, a service; k ends the connection and d drains \
      the service, or resumes it, after a question; s sorts by the next column, r in the opposite order; / filters by \
      words: a network is a source, >10m an age, anything else a part of an id, a peer or a name; Escape takes back; \
      Space asks now. Where standard output is no terminal, begat top prints what begat status and begat ps print.
      """)

  @Argument(
    help: ArgumentHelp("Only connections of this service.", valueName: "service"), completion: .runningServices)
  var service: String?

  @OptionGroup var selection: ConnectionOptions

  @Option(
    help: ArgumentHelp("Between two screens: seconds, or a time as in 500ms (default: 2).", valueName: "time"),
    transform: readInterval)
  var interval: Duration?

  @OptionGroup var options: ControlOptions

  func run() throws {
    var command = TopCommand()
    command.service = service
    command.filter = selection.filter
    command.order = selection.sort
    command.socket = options.control
    command.printsJSON = options.json
    command.interval = interval
    let status = command.run()
    if status != 0 { throw ExitCode(status) }
  }
}

/// Which connections are shown, in which order.
struct ConnectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Those of clients in this network, or with this address.", valueName: "network"),
    transform: readNetwork)
  var source: IPNetwork?

  @Option(
    help: ArgumentHelp("Those that have been open for this time, as in 10m.", valueName: "time"),
    transform: readTimeLimit)
  var older: Duration?

  @Option(
    help: ArgumentHelp(
      "Sort by \(ConnectionOrder.allCases.map(\.rawValue).joined(separator: ", ")); the oldest and the largest first.",
      valueName: "column"))
  var sort = ConnectionOrder.service

  var filter: ConnectionFilter { ConnectionFilter(source: source, minimumAge: older) }
}

extension ConnectionOrder: ExpressibleByArgument {}

/// Whether a command goes on.
struct WatchOptions: ParsableArguments {
  @Flag(help: "Show it again every 2 s, until q is pressed; --watch=500ms shows it so often.")
  var watch = false

  @Option(help: .hidden, transform: readInterval)
  var watchInterval: Duration?

  var interval: Duration? { watchInterval ?? (watch ? TopCommand.standardInterval : nil) }

  /// As `Drain.splittingWait` does.
  static func splitting(_ words: [String]) -> [String] {
    guard let command = words.first, ["status", "ps"].contains(command) else { return words }
    return words.map { $0.hasPrefix("--watch=") ? "--watch-interval=" + $0.dropFirst("--watch=".count) : $0 }
  }
}

/// Reads the time between two screens.
func readInterval(_ text: String) throws -> Duration {
  let interval = try readTimeLimit(text)
  guard interval >= .milliseconds(100) else { throw ValidationError("the shortest interval is 100ms") }
  return interval
}
