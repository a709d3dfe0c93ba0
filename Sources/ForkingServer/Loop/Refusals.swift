import Admission
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// Log lines about clients that are refused or kept waiting: one when an episode starts, one when it ends, however many
/// clients are affected.
struct Refusals {
  /// By `Refusal`: connections, datagrams, waiting; then programs that cannot be run and answers that cannot be sent.
  private enum Kind: Hashable, CaseIterable {
    case connection(Refusal)
    case datagram(Refusal)
    case waiting(Refusal)
    case program
    case unsendable

    static let allCases: [Kind] =
      Refusal.allCases.map(connection) + Refusal.allCases.map(datagram) + Refusal.allCases.map(waiting)
      + [.program, .unsendable]

    var index: Int {
      let count = Refusal.allCases.count
      return switch self {
      case .connection(let refusal): refusal.rawValue
      case .datagram(let refusal): count + refusal.rawValue
      case .waiting(let refusal): 2 * count + refusal.rawValue
      case .program: 3 * count
      case .unsendable: 3 * count + 1
      }
    }
  }

  private let limits: AdmissionLimits
  private let datagramLimits: AdmissionLimits
  private let peerText: PeerText
  private var episodes = [Episode](repeating: Episode(), count: Kind.allCases.count)
  /// The earliest `due` of all of them.
  private(set) var due = Deadline.never

  init(limits: AdmissionLimits, datagramLimits: AdmissionLimits, peerText: PeerText = PeerText(.full)) {
    self.limits = limits
    self.peerText = peerText
    self.datagramLimits = datagramLimits
  }

  private mutating func note(_ kind: Kind, now: Deadline) -> Bool {
    let begins = episodes[kind.index].note(now)
    if begins { due = min(due, episodes[kind.index].due) }
    return begins
  }

  /// The line for a refused client, where one is due.
  mutating func refused(_ refusal: Refusal, _ client: Client, now: Deadline) -> String? {
    guard note(.connection(refusal), now: now) else { return nil }
    return text(refusal, limits, client) + ": clients are refused"
  }

  /// The line for a proxy's connection that is closed, where one is due.
  mutating func closed(_ fault: HeaderFault, _ proxy: Client, now: Deadline) -> String? {
    guard note(.connection(fault.refusal), now: now) else { return nil }
    return "a connection of \(peerText.subject(proxy.address, user: proxy.user)) is closed: \(fault)"
  }

  mutating func refusedDatagram(_ refusal: Refusal, _ client: Client, now: Deadline) -> String? {
    guard note(.datagram(refusal), now: now) else { return nil }
    return text(refusal, datagramLimits, client) + ": datagrams are not answered"
  }

  /// The line for clients that wait in the backlog, where one is due.
  mutating func waiting(for refusal: Refusal, now: Deadline) -> String? {
    guard note(.waiting(refusal), now: now) else { return nil }
    return "\(Refusals.limit(refusal, limits)) reached; further clients wait"
  }

  /// Keeps the episode of waiting clients from ending: they still wait.
  mutating func goesOn(for refusal: Refusal, now: Deadline) { episodes[Kind.waiting(refusal).index].goesOn(now) }

  /// The line for a program that cannot be run, where one is due.
  ///
  /// - Parameter clientsWait: whether its clients stay in the backlog until it can.
  mutating func failed(_ failure: SystemCallError, clientsWait: Bool = false, now: Deadline) -> String? {
    guard note(.program, now: now) else { return nil }
    return "\(failure); its clients \(clientsWait ? "wait" : "are turned away")"
  }

  /// The line for an answer to a datagram that cannot be sent, where one is due.
  mutating func unsendable(_ error: ErrorCode, to client: SocketAddress?, now: Deadline) -> String? {
    guard note(.unsendable, now: now) else { return nil }
    let isForbidden = error == .permissionDenied && client?.isUnix ?? false
    let advice = isForbidden ? "; the client's socket must be writable for the service's user" : ""
    return "an answer to \(peerText.address(client)) cannot be sent: \(error)\(advice)"
  }

  /// The lines of the episodes that have ended.
  mutating func ended(_ now: Deadline) -> [String] {
    guard now >= due else { return [] }
    var lines: [String] = []
    for kind in Kind.allCases {
      guard let (count, duration) = episodes[kind.index].endIfQuiet(now) else { continue }
      let time = DurationText.render(duration.inSeconds)
      switch kind {
      case .connection(let refusal):
        lines.append("\(refusal.key): \(count) connection\(count == 1 ? "" : "s") refused in \(time)")
      case .datagram(let refusal):
        lines.append("\(refusal.key): \(count) datagram\(count == 1 ? "" : "s") not answered in \(time)")
      case .waiting(let refusal):
        lines.append("\(refusal.key): clients had to wait \(Refusals.times(count)) in \(time)")
      case .program: lines.append("the program could not be run \(Refusals.times(count)) in \(time)")
      case .unsendable: lines.append("\(count) answer\(count == 1 ? "" : "s") could not be sent in \(time)")
      }
    }
    due = episodes.map(\.due).min() ?? .never
    return lines
  }

  private static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

  private func text(_ refusal: Refusal, _ limits: AdmissionLimits, _ client: Client) -> String {
    let who = peerText.subject(client.address, user: client.user)
    return switch refusal {
    case .denied: "\(who) is not allowed"
    case .banned: "\(who) is banned by \(refusal.key)"
    case .denyTime: "\(who) waits after abuse, \(Refusals.limit(refusal, limits))"
    case .maxConnectionsPerSource, .ratePerSource: "\(Refusals.limit(refusal, limits)) reached by \(who)"
    case .maxConnections, .rate: "\(Refusals.limit(refusal, limits)) reached"
    case .notProxy: "\(who) is not in \(refusal.key)"
    case .invalidProxyHeader, .lateProxyHeader: "\(refusal.key)"
    }
  }

  private static func limit(_ refusal: Refusal, _ limits: AdmissionLimits) -> String {
    let value: String? =
      switch refusal {
      case .denied, .banned, .notProxy, .invalidProxyHeader, .lateProxyHeader: nil
      case .denyTime: limits.denyTime.map(DenyTimeText.render)
      case .maxConnectionsPerSource: String(limits.maxConnectionsPerSource)
      case .ratePerSource: limits.ratePerSource?.description
      case .maxConnections: String(limits.maxConnections)
      case .rate: limits.rate?.description
      }
    return refusal.key + (value.map { " (\($0))" } ?? "")
  }
}
