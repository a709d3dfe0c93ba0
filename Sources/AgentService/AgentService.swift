import Monitoring
import NetworkServices
import Settings
@_spi(Begat) import UnixCore

/// HAProxy's agent check: a line about whether begatd, or one of its services, should get clients.
///
/// A connection process reads what begatd and the listeners have written into shared memory, and asks none of them.
public struct AgentService: NetworkService {
  private let state: SharedState
  private let serviceName: String
  private let weight: AgentWeight

  /// How long to wait for the line, which HAProxy sends with its connection.
  private static let patience = Duration.milliseconds(250)

  /// - Parameter serviceName: the agent's own, as the configuration has it.
  public init(_ state: SharedState, serviceName: String, weight: AgentWeight) {
    self.state = state
    self.serviceName = serviceName
    self.weight = weight
    warmUp()
  }

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    var bytes: [UInt8] = []
    let deadline = Deadline(after: AgentService.patience)
    while bytes.count < AgentRequest.maxLength, !bytes.contains(where: AgentRequest.isEnd) {
      let room = AgentRequest.maxLength - bytes.count
      guard let count = try connection.receive(appendingTo: &bytes, atMost: room, until: deadline), count > 0 else {
        break
      }
    }
    try connection.send(Array(answer(AgentRequest(bytes)).line.utf8))
  }

  func answer(_ request: AgentRequest) -> AgentAnswer {
    let names: [String]
    switch request {
    case .everything: names = []
    case .service(let name): names = [name]
    case .unreadable: return .stopped(reasons: ["agent-send is not the name of a service"])
    }
    do throws(StatePageReader.Problem) {
      let daemon = try state.read()
      return AgentAnswer(daemon, of: names) {
        switch weight {
        case .full: 100
        case .free: daemon.freeShare(of: names, except: serviceName) { state.board($0) }
        }
      }
    } catch { return .unchanged(reason: error.explanation) }
  }

  /// Makes each answer once, so that what the run-time library sets up at first use is there before the first fork.
  private func warmUp() {
    var daemon = DaemonState()
    daemon.services = [ServiceState(name: "a", state: .failed)]
    guard let daemon = DaemonState(decoding: daemon.encoded) else { return }
    for request in [AgentRequest([]), AgentRequest(Array("a\n".utf8))] {
      _ = answer(request).line
      _ =
        AgentAnswer(daemon, of: [serviceName]) { daemon.freeShare(of: [], except: serviceName) { state.board($0) } }
        .line
    }
  }
}
