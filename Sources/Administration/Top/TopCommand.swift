import Control
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// `begat top`.
public struct TopCommand: Sendable {
  /// Shows only connections of this service; nil shows all.
  public var service: String?
  public var filter = ConnectionFilter()
  public var order = ConnectionOrder.service
  /// The control socket of begatd; nil for the usual places.
  public var socket: String?
  /// Between two screens; nil for the usual time, or more where a screen takes much of the processor.
  public var interval: Duration?
  public var printsJSON = false

  private static let name = "begat top"

  public static let standardInterval = Duration.seconds(2)

  public init() {}

  /// Shows the screen until a key ends it.  Where standard output is no terminal, it prints once what `begat status` and
  /// `begat ps` print.
  ///
  /// - Returns: the exit status, as of `ControlCommand`.
  public func run() -> CInt {
    if printsJSON || isatty(STDOUT_FILENO) == 0 { return printOnce() }
    let client = ControlClient(places: ControlPlaces(given: socket))
    do {
      // An error that leaves nothing to show is reported on the ordinary screen.
      let (answer, _) = try client.answer(.connections(service: service), within: ControlClient.patience)
      let output = ControlOutput(answer, command: Self.name)
      guard output.exitStatus == 0 else {
        for complaint in output.complaints { Complaint.write(complaint) }
        return output.exitStatus
      }
      try ScreenLoop.run(
        TopModel(service: service, filter: filter, order: order), client: client,
        interval: ScreenInterval(duration: interval ?? TopCommand.standardInterval, isAdaptive: interval == nil))
      return 0
    } catch {
      Complaint.write("\(Self.name): \(error)")
      return (error as? ControlClientError)?.exitStatus ?? ControlFailure.failed
    }
  }

  private func printOnce() -> CInt {
    var status = ControlCommand(.status, socket: socket, printsJSON: printsJSON)
    status.view = .whole
    status.command = Self.name
    let first = status.run()
    guard first == 0 else { return first }
    if !printsJSON, !StandardOutput.write("\n", of: Self.name) { return ControlFailure.failed }
    var connections = ControlCommand(.connections(service: service), socket: socket, printsJSON: printsJSON)
    connections.command = Self.name
    connections.view = .connections(filter, order, isReversed: false)
    return connections.run()
  }
}
