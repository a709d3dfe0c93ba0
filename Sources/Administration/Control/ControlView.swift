import Control
import Monitoring
import Settings

/// Which part of an answer is shown, and in which order.
public enum ControlView: Hashable, Sendable {
  case whole
  /// Shows these services of a `status` answer in detail.
  case services([String])
  /// Shows a selection of the connections of a `ps` answer.
  case connections(ConnectionFilter, ConnectionOrder, isReversed: Bool)

  /// The answer with nothing but what is shown; a failure for a service that there is not.
  func apply(_ answer: ControlAnswer) -> ControlAnswer {
    switch (self, answer) {
    case (.services(let names), .status(var report)):
      if let unknown = names.first(where: { name in !report.services.contains { $0.name == name } }) {
        let near = nearestName(to: unknown, among: report.services.map(\.name)).map { "; did you mean \($0)?" }
        return .failure(
          ControlFailure("no service \(quoted(unknown))\(near ?? "")", exitStatus: ControlFailure.usage))
      }
      report.services.removeAll { !names.contains($0.name) }
      return .status(report)
    case (.connections(let filter, let order, let isReversed), .connections(var report)):
      if !filter.isEmpty { report.connections.removeAll { !filter.admits($0) } }
      report.connections = order.sorted(report.connections, isReversed: isReversed)
      return .connections(report)
    default: return answer
    }
  }
}
