import Control
import Monitoring

/// Answers that listeners without begatd are part of.
extension ControlClient {
  /// Asks begatd, and adds to the answer of a question what the scoreboards of listeners without begatd show.  Where there
  /// are such listeners, begatd need not be there.
  ///
  /// A control socket that the caller has named belongs to one begatd: then that alone is asked.
  ///
  /// - Returns: the answer, and the line that it came as or would come as.
  func answer(
    _ request: ControlRequest, within limit: Duration?
  ) throws(ControlClientError) -> (answer: ControlAnswer, line: [UInt8]) {
    guard request.name.isQuestion, places.given == nil else { return try ask(request, within: limit) }
    let listeners = StandaloneListeners(in: places.listenerDirectories)
    guard !listeners.isEmpty else { return try ask(request, within: limit) }
    let own: ControlAnswer?
    do throws(ControlClientError) { own = try ask(request, within: limit).answer } catch {
      guard error.isAbsence else { throw error }
      own = nil
    }
    let answer = ControlClient.merge(own, listeners, request)
    return (answer, Array(answer.line.dropLast()))
  }

  /// The answer to a question that was put without `answer(_:within:)`, with listeners that run without begatd.
  ///
  /// - Parameter own: begatd's; nil if there is none.
  /// - Returns: nil if nothing can answer.
  func completed(_ own: ControlAnswer?, _ request: ControlRequest) -> ControlAnswer? {
    guard request.name.isQuestion, places.given == nil else { return own }
    let listeners = StandaloneListeners(in: places.listenerDirectories)
    return listeners.isEmpty ? own : ControlClient.merge(own, listeners, request)
  }

  private static func merge(
    _ own: ControlAnswer?, _ listeners: StandaloneListeners, _ request: ControlRequest
  ) -> ControlAnswer {
    switch (request, own) {
    case (.status, .status(var report)):
      report.services += listeners.services
      return .status(report)
    case (.status, nil): return .status(StatusReport(daemon: nil, services: listeners.services))
    case (.connections(let service), .connections(var report)):
      listeners.addConnections(to: &report, of: service)
      return .connections(report)
    case (.connections(let service?), _) where listeners.hasService(service):
      return merge(.connections(ConnectionReport([])), listeners, request)
    case (.connections(let service?), nil):
      return .failure(
        ControlFailure("no service \(service), and no begatd answers", exitStatus: ControlFailure.usage))
    case (.connections(nil), nil): return merge(.connections(ConnectionReport([])), listeners, request)
    case (_, let own?): return own
    case (_, nil): preconditionFailure("listeners answer questions only")
    }
  }
}
