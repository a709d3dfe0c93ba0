import ArgumentParser
import Control

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show begatd's services: state, connections, refusals, addresses.",
    discussion: """
      Rows of datagrams show how many were answered and how many refused. "+2" behind a state: two former listeners of \
      the service have connections still. The exit status is 1 if no begatd answers.
      """)

  @OptionGroup var metrics: MetricsOptions
  @OptionGroup var options: ControlOptions

  func validate() throws { if options.json { try metrics.ensureAbsent(beside: "--json") } }

  func run() throws {
    if metrics.prometheus { try metrics.run(socket: options.control) } else { try options.run(.status) }
  }
}

struct Ps: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show open connections.",
    discussion: """
      A connection has an id, which no other has after it: begat end takes it. IN and OUT are bytes, and - where a \
      program has the connection to itself.
      """)

  @Argument(help: ArgumentHelp("Only those of this service.", valueName: "service"), completion: .runningServices)
  var service: String?

  @OptionGroup var options: ControlOptions

  func run() throws { try options.run(.connections(service: service)) }
}
