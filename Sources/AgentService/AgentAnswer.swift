import Monitoring

/// The answer to HAProxy: the state that a server is to have, in one line.
///
/// `drain` and `ready` are its administrative state, `up` and `stopped` its operational one: a state that one answer
/// has set lasts until another answer changes it, even after begatd has ended.  `ready up` changes both.
///
/// Source: HAProxy's configuration.txt, `agent-check`.
enum AgentAnswer: Hashable, Sendable {
  /// Clients may come, at this percentage of the server's configured weight.
  case ready(weight: Int)
  /// No new clients; those that are connected stay.
  case drain
  /// The server is down.
  case stopped(reasons: [String])
  /// Leaves HAProxy's state unchanged: nothing is known, or clients wait briefly.
  case unchanged(reason: String)

  private static let maxReasons = 3

  var line: String {
    switch self {
    case .ready(let weight): return "ready up \(weight)%\n"
    case .drain: return "drain\n"
    case .stopped(let reasons):
      let shown = reasons.prefix(AgentAnswer.maxReasons).joined(separator: "; ")
      let rest = reasons.count - AgentAnswer.maxReasons
      return "stopped # \(shown)\(rest > 0 ? "; \(rest) more" : "")\n"
    case .unchanged(let reason): return "# \(reason)\n"
    }
  }
}

extension AgentAnswer {
  /// - Parameter names: the services that are asked about; none stands for begatd and all of them.
  /// - Parameter weight: computes the weight; called only if clients may come.
  init(_ state: DaemonState, of names: [String], weight: () -> Int) {
    let obstacles = state.readiness(of: names).obstacles
    let failures = obstacles.filter { $0.kind == .failure }
    if let obstacle = obstacles.first {
      if !failures.isEmpty {
        self = .stopped(reasons: failures.map(\.text))
      } else if obstacles.contains(where: { $0.kind == .order }) {
        self = .drain
      } else {
        self = .unchanged(reason: obstacle.text)
      }
    } else {
      self = .ready(weight: weight())
    }
  }
}
