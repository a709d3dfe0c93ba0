import NameService
import UnixIPC

/// Whom a client is to speak to, as it was typed: a host and a port, or a Unix socket.
public enum ConnectionTarget: Hashable, Sendable {
  case host(String, port: UInt16)
  case unix(SocketAddress)

  /// Words that name no target; the description says why.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Reads `HOST PORT`, or without a port an absolute path or `@abstract`.
  ///
  /// The port is a number, a name of services(5), or both: `daytime(13)` is 13 where the name is unknown.
  public init(_ place: String, port: String?) throws(Problem) {
    let isUnix = place.hasPrefix("/") || place.hasPrefix("@")
    guard let port else {
      guard isUnix, let address = SocketAddress(place) else {
        throw Problem(description: "\(escaped(place.utf8)): a host needs a port, a Unix socket is /PATH or @NAME")
      }
      self = .unix(address)
      return
    }
    guard !isUnix else { throw Problem(description: "\(escaped(place.utf8)): a Unix socket has no port") }
    let isBracketed = place.hasPrefix("[") && place.hasSuffix("]")
    let host = isBracketed ? String(place.dropFirst().dropLast()) : place
    guard !host.isEmpty else { throw Problem(description: "the host is empty") }
    guard let number = Self.port(port), number != 0 else {
      throw Problem(description: "\(escaped(port.utf8)): no such port (a number, a name, or NAME(NUMBER))")
    }
    self = .host(host, port: number)
  }

  private static func port(_ text: String) -> UInt16? {
    guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return Ports.find(text, transport: .tcp) }
    let fallback = UInt16(decimal: text[text.index(after: open)...].dropLast())
    return fallback.map { Ports.find(String(text[..<open]), transport: .tcp) ?? $0 }
  }

  /// All its addresses, in the order in which they should be tried.
  public func addresses() throws(Hosts.Failure) -> [SocketAddress] {
    switch self {
    case .host(let host, let port): try Hosts.addresses(of: host, port: port)
    case .unix(let address): [address]
    }
  }
}

extension ConnectionTarget: CustomStringConvertible {
  public var description: String {
    switch self {
    case .host(let host, let port) where host.contains(":"): "[\(escaped(host.utf8))]:\(port)"
    case .host(let host, let port): "\(escaped(host.utf8)):\(port)"
    case .unix(let address): address.description
    }
  }
}
