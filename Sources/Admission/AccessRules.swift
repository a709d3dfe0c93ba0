@_spi(Begat) import UnixCore

/// The peers that an access rule matches.
///
/// As text `192.0.2.0/24`, `2001:db8::/32`, `unix:1000`, `unix:*`.
public enum AccessPeer: Hashable, Sendable {
  /// The addresses of a network.
  case network(IPNetwork)
  /// A user on a Unix socket, by number.
  case user(UInt32)
  /// Every user on a Unix socket.
  case anyUser

  /// How specific the rule is: the longer, the more it counts.
  fileprivate var length: Int {
    switch self {
    case .network(let network): network.prefixLength
    case .user: 1
    case .anyUser: 0
    }
  }

  fileprivate func matches(_ address: SocketAddress?, user: UInt32?) -> Bool {
    switch (self, address) {
    case (.network(let network), .ipv4(let host, _)): network.contains(host)
    case (.network(let network), .ipv6(let host, _, _)): network.contains(host)
    case (.anyUser, .unixPath), (.anyUser, .unixAbstract), (.anyUser, .unixUnnamed): true
    case (.user(let wanted), .unixPath), (.user(let wanted), .unixAbstract), (.user(let wanted), .unixUnnamed):
      wanted == user
    default: false
    }
  }
}

extension AccessPeer: CustomStringConvertible {
  /// The peers as they are written in a configuration.
  public var description: String {
    switch self {
    case .network(let network): network.description
    case .user(let user): "unix:\(user)"
    case .anyUser: "unix:*"
    }
  }
}

/// Decides which peers may connect.  The most specific rule wins; deny wins over an equally specific allow.
///
/// A peer that matches no rule is admitted only if there is no list of allowed peers, be it empty.
public struct AccessRules: Sendable {
  /// Which rule decided, by its place in the list that it came from.
  public enum Rule: Hashable, Sendable {
    /// The entry with this index of the allowed peers.
    case allow(Int)
    /// The entry with this index of the denied peers.
    case deny(Int)
    /// No rule matched: there is a list of allowed peers, and this peer is not in it.
    case notAllowed
    /// No rule matched, and there is no list of allowed peers.
    case open

    /// Whether the peer may connect.
    public var isAllowed: Bool {
      switch self {
      case .allow, .open: true
      case .deny, .notAllowed: false
      }
    }
  }

  /// Longest first.
  private let rules: [(peer: AccessPeer, rule: Rule)]
  private let fallback: Rule
  private let hasRules: Bool

  /// Makes the rules of two lists.
  ///
  /// - Parameter allow: nil admits peers that no rule matches.
  public init(allow: [AccessPeer]?, deny: [AccessPeer]) {
    let all =
      deny.enumerated().map { (peer: $1, rule: Rule.deny($0)) }
      + (allow ?? []).enumerated().map { (peer: $1, rule: .allow($0)) }
    // Stable, unlike sorting by length alone.
    rules = all.enumerated().sorted { ($1.element.peer.length, $0.offset) < ($0.element.peer.length, $1.offset) }
      .map(\.element)
    fallback = allow == nil ? .open : .notAllowed
    hasRules = !all.isEmpty
  }

  /// Finds the rule that decides on a peer.
  ///
  /// - Parameter user: the user at the other end of a Unix socket; nil for other peers.
  public func decision(on address: SocketAddress?, user: UInt32?) -> Rule {
    // Most services have no rules: then no memory is touched that a fork has just made shared.
    guard hasRules else { return fallback }
    for (peer, rule) in rules where peer.matches(address, user: user) { return rule }
    return fallback
  }
}
