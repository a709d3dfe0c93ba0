import Administration
import Admission
import ArgumentParser
import Control
import Settings

/// Options of the commands that speak to a running begatd.
struct ControlOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "begatd's control socket (default: where begatd of this user, or of the machine, has it).", valueName: "path"),
    completion: .file())
  var control: String?

  @Flag(help: "Print begatd's answer, one JSON object; see begat-control(7).")
  var json = false

  /// Asks, prints, and ends with the status that belongs to the answer.
  ///
  /// - Parameter view: the part of the answer that is shown.
  /// - Parameter interval: asks again so much later, without end; nil asks once.
  func run(_ request: ControlRequest, showing view: ControlView = .whole, every interval: Duration? = nil) throws {
    var command = ControlCommand(request, socket: control, printsJSON: json)
    command.view = view
    command.interval = interval
    let status = command.run()
    if status != 0 { throw ExitCode(status) }
  }
}

/// The services that an order is about.
struct ServicesArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("A service, by name.", valueName: "service"), completion: .runningServices)
  var services: [String] = []

  @Flag(help: "All services.")
  var all = false

  func validate() throws {
    if all == !services.isEmpty { throw ValidationError("name services, or give --all") }
  }

  var selection: ServiceSelection { all ? .all : .named(services) }
}

/// Reads an address such as `192.0.2.7`, or a network such as `2001:db8::/32`.
func readNetwork(_ text: String) throws -> IPNetwork {
  do throws(IPNetwork.Problem) { return try IPNetwork(parsing: text) } catch {
    throw ValidationError("\(quoted(text)): \(error)")
  }
}
