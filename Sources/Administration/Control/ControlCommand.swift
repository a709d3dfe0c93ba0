import Control
import Glibc
import JSON
import Settings
@_spi(Begat) import UnixCore

/// The commands that speak to a running begatd: `begat status`, `ps`, `reload` and others.
public struct ControlCommand: Sendable {
  /// Asks for this.
  public var request: ControlRequest
  /// The control socket of begatd; nil for the usual places.
  public var socket: String?
  /// Prints the answer as it came, with the parts that are shown.
  public var printsJSON: Bool
  /// The part of the answer that is shown.
  public var view = ControlView.whole
  /// Asks again and again, this much later each time; nil for once.
  public var interval: Duration?

  public init(_ request: ControlRequest, socket: String? = nil, printsJSON: Bool = false) {
    self.request = request
    self.socket = socket
    self.printsJSON = printsJSON
  }

  private var client: ControlClient { ControlClient(places: ControlPlaces(given: socket)) }
  /// The command with which errors begin, if it is not that of the request.
  var command: String?
  private var name: String { command ?? "begat \(request.name.rawValue)" }

  /// Asks, prints and returns the exit status: 0, 1, or `EX_USAGE` or `EX_CONFIG` of sysexits(3).
  public func run() -> CInt {
    do throws(ControlClientError) {
      let status = try printAnswer()
      guard let interval, status == 0 else { return status }
      return try isatty(STDOUT_FILENO) == 1 && !printsJSON ? watch(interval) : repeatAnswer(interval)
    } catch {
      Complaint.write("\(name): \(error)")
      return error.exitStatus
    }
  }

  /// Asks once and prints the answer.
  private func printAnswer() throws(ControlClientError) -> CInt {
    let (answer, line) = try client.answer(request, within: patience)
    let width = printsJSON ? nil : OutputWidth.current
    let output = ControlOutput(answer, command: name, view: view, width: width)
    // On a screen of its own it is shown later.
    let isShown = interval == nil || printsJSON || isatty(STDOUT_FILENO) == 0
    for complaint in output.complaints where isShown || output.exitStatus != 0 { Complaint.write(complaint) }
    let isUnknown = output.exitStatus == ControlFailure.usage && view != .whole
    let text = printsJSON && !isUnknown ? ControlJSON.line(line, answer, view) : output.text
    return !isShown || StandardOutput.write(text, of: name) ? output.exitStatus : ControlFailure.failed
  }

  /// In a pipe or a file: the answers below each other, tables with an empty line between them.
  private func repeatAnswer(_ interval: Duration) throws(ControlClientError) -> CInt {
    var next = Deadline(after: interval)
    while true {
      if let left = next.remaining { SystemClock.sleep(for: left) }
      next = next.advanced(by: interval)
      do throws(ControlClientError) {
        if !printsJSON, !StandardOutput.write("\n", of: name) { return ControlFailure.failed }
        let status = try printAnswer()
        if status != 0 { return status }
      } catch { Complaint.write("\(name): \(error)") }
    }
  }

  private func watch(_ interval: Duration) -> CInt {
    do {
      try ScreenLoop.run(
        WatchModel(request, view, command: name, interval: interval), client: client,
        interval: ScreenInterval(duration: interval, isAdaptive: false))
      return 0
    } catch {
      Complaint.write("\(name): \(error)")
      return ControlFailure.failed
    }
  }

  /// How long begatd may take; nil is forever.
  private var patience: Duration? {
    switch request {
    case .drain(_, wait: .untilDone): nil
    // begatd says when the time is over; this is for one that does not.
    case .drain(_, wait: .atMost(let limit)): limit + ControlClient.patience
    // The configuration may lie on a slow file system, and its users in a slow directory service.
    case .reload, .upgrade: .seconds(120)
    default: ControlClient.patience
    }
  }
}
