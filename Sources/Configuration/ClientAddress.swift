@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// A client to explain admission for: an internet address without a port, or a user of this machine on a Unix socket.
public struct ClientAddress: Sendable {
  /// What is wrong with a text.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
  }

  let address: SocketAddress
  /// Of a client on a Unix socket.
  public let user: UInt32?
  /// What it is called in answers.
  public let text: String

  /// Reads `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]` or `unix:USER`.
  public init(parsing text: String) throws(Problem) {
    if text.hasPrefix("unix:") {
      let name = String(text.dropFirst(5))
      guard let user = Users.number(of: name) else {
        throw Problem(description: "no user \(quoted(name)) on this machine")
      }
      address = .unixUnnamed
      self.user = user
      self.text = printable(text)
      return
    }
    let host = text.hasPrefix("[") || !text.contains(":") ? text : "[\(text)]"
    guard let address = SocketAddress(host: host, port: 0) else {
      throw Problem(description: "expected an IPv4 or IPv6 address or unix:USER, found \(quoted(text))")
    }
    user = nil
    switch address {
    case .ipv6(let host, _, _):
      self.address = host.unmapped.map { .ipv4($0, port: 0) } ?? address
      self.text = host.unmapped?.description ?? host.description
    case .ipv4(let host, _):
      self.address = address
      self.text = host.description
    case .unixPath, .unixAbstract, .unixUnnamed: preconditionFailure("a host is an internet address")
    }
  }

  /// Whether it is on this machine for sure.
  var isLoopback: Bool { address.isLoopback }
}
