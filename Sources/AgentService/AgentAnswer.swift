import Monitoring

/// What HAProxy is to do with a server, as the words of one line.
///
/// `drain` and `ready` are its administrative state, `up` and `stopped` its operational one: what one answer has set,
/// only another one takes back, also after begatd has ended.  `ready up` takes back everything.
///
/// Source: HAProxy's configuration.txt, `agent-check`.
enum AgentAnswer: Hashable, Sendable {
  /// Clients may come: so many of 100 as the server's configured weight brings.
  case ready(weight: Int)
  /// No new clients; those that are connected stay.
  case drain
  /// The server is down.
  case stopped(reasons: [String])
  /// Nothing is to change: nothing is known, or clients may wait a moment.
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
  /// - Parameter names: the services that are asked for; none stands for begatd and all of them.
  /// - Parameter weight: makes the weight, if clients may come.
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
