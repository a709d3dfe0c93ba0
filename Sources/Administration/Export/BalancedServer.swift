import Settings
@_spi(Begat) import UnixCore

/// A machine behind a balancer.
public struct BalancedServer: Hashable, Sendable {
  /// The address or name by which the balancer reaches it.
  public enum Host: Hashable, Sendable {
    case ipv4(IPv4Address)
    case ipv6(IPv6Address)
    /// A host's name, which the balancer looks up.
    case name(String)
  }

  public let name: String
  public let host: Host

  public init(name: String, host: Host) {
    self.name = name
    self.host = host
  }

  /// Reads `m1=192.0.2.11,m2=2001:db8::12,m3=host.example.org`.
  public static func list(parsing text: String) throws(BalancerArgumentError) -> [BalancedServer] {
    var servers: [BalancedServer] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let server = try BalancedServer(parsing: String(part))
      if servers.contains(where: { $0.name == server.name }) {
        throw BalancerArgumentError("two servers have the name \(server.name)")
      }
      servers.append(server)
    }
    return servers
  }

  private init(parsing text: String) throws(BalancerArgumentError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, BalancedServer.isName(parts[0]) else {
      throw BalancerArgumentError(
        "expected NAME=ADDRESS, with a name of letters, digits, \"-\", \"_\" and \".\", found \(quoted(text))")
    }
    guard let host = Host(String(parts[1])) else {
      throw BalancerArgumentError(
        "expected an IPv4 address, an IPv6 address or a host's name without a port, found \(quoted(String(parts[1])))"
      )
    }
    guard !host.isUnspecified else {
      throw BalancerArgumentError(
        "expected the address of a machine, found \(host): HAProxy would connect to itself, at the client's destination"
      )
    }
    self.init(name: String(parts[0]), host: host)
  }

  /// Whether HAProxy accepts a word as the name of a server or a host.
  static func isName(_ word: some StringProtocol) -> Bool {
    (1...255).contains(word.utf8.count)
      && word.utf8.allSatisfy { isServiceNameByte($0) || $0 == UInt8(ascii: ".") }
  }
}

extension BalancedServer.Host {
  fileprivate init?(_ text: String) {
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
    let inner = isBracketed ? String(text.dropFirst().dropLast()) : text
    if let address = IPv6Address(inner) {
      self = .ipv6(address)
    } else if !isBracketed, let address = IPv4Address(text) {
      self = .ipv4(address)
    } else if !isBracketed, BalancedServer.isName(text), text.contains(where: \.isLetter) {
      self = .name(text)
    } else {
      return nil
    }
  }

  /// Whether it is the address that stands for all of a machine's own.
  fileprivate var isUnspecified: Bool { self == .ipv4(.any) || self == .ipv6(.any) }
}

/// A word on the command line that does not describe a server or an address of a balancer.
public struct BalancerArgumentError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
