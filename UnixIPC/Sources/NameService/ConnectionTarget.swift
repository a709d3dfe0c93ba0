@_spi(Begat) import UnixCore

/// The server that a client is to connect to, as a user types it: a host and a port, or a Unix socket.
///
///     let target = try ConnectionTarget("localhost", port: "daytime(13)")
///     let connection = try target.connect(until: Deadline(after: .seconds(10)))
public enum ConnectionTarget: Hashable, Sendable {
  /// A host, by name or address, and a port.
  case host(String, port: UInt16)
  /// A Unix socket.
  case unix(SocketAddress)

  /// Why words name no target.
  public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The words, escaped, and what is wrong with them.
    public let description: String
  }

  /// Reads `HOST PORT`, or in one word `HOST:PORT`, a path that begins with `/`, `./` or `../`, or `@abstract`.
  ///
  /// The port is a number, a name of services(5), or both: `daytime(13)` is 13 if the name is unknown.
  ///
  /// - Parameter place: the host or the Unix socket.
  /// - Parameter port: the port; nil if it is part of `place`.
  /// - Parameter transport: the protocol whose names of ports are meant.
  public init(_ place: String, port: String?, transport: Transport = .tcp) throws(ParseError) {
    let isUnix = Self.isUnix(place)
    guard let port else {
      if isUnix {
        self = .unix(place.hasPrefix("@") ? .unixAbstract(Array(place.utf8.dropFirst())) : .unixPath(place))
        return
      }
      guard let (host, port) = Self.split(place) else {
        throw ParseError(
          description: "\(escaped(place.utf8)): a host needs a port, a Unix socket is /PATH, ./PATH or @NAME")
      }
      try self.init(host, port: port, transport: transport)
      return
    }
    guard !isUnix else { throw ParseError(description: "\(escaped(place.utf8)): a Unix socket has no port") }
    let isBracketed = place.hasPrefix("[") && place.hasSuffix("]")
    let host = isBracketed ? String(place.dropFirst().dropLast()) : place
    guard !host.isEmpty else { throw ParseError(description: "the host is empty") }
    guard let number = Ports.find(port, transport: transport), number != 0 else {
      throw ParseError(description: "\(escaped(port.utf8)): no such port (a number, a name, or NAME(NUMBER))")
    }
    self = .host(host, port: number)
  }

  /// Reads one word: `HOST`, `HOST:PORT`, an IPv6 address, which has a port in brackets only (`[::1]:13`), or a Unix
  /// socket.
  ///
  /// - Parameter word: the target.
  /// - Parameter defaultPort: the port of a host that is written without one.
  /// - Parameter transport: the protocol whose names of ports are meant.
  public init(_ word: String, defaultPort: String, transport: Transport = .tcp) throws(ParseError) {
    let isWhole = Self.isUnix(word) || Self.split(word) != nil
    try self.init(word, port: isWhole ? nil : defaultPort, transport: transport)
  }

  /// `HOST:PORT` or `[ADDRESS]:PORT`; nil for all else, such as an IPv6 address alone.
  private static func split(_ word: String) -> (host: String, port: String)? {
    guard let colon = word.lastIndex(of: ":"), word.firstIndex(of: ":") == colon || word[..<colon].hasSuffix("]")
    else { return nil }
    return (String(word[..<colon]), String(word[word.index(after: colon)...]))
  }

  private static func isUnix(_ word: String) -> Bool {
    ["/", "./", "../", "@"].contains { word.hasPrefix($0) }
  }

  /// Finds all addresses of the target, in the order in which they should be tried.
  ///
  /// - Parameter family: `.ipv4` or `.ipv6` leaves the addresses of a host out that are not of this family.
  public func addresses(family: AddressFamily? = nil) throws(Hosts.LookupError) -> [SocketAddress] {
    switch self {
    case .unix(let address): return [address]
    case .host(let host, let port):
      let all = try Hosts.addresses(of: host, port: port)
      guard let family else { return all }
      let found = all.filter { if case .ipv4 = $0 { family == .ipv4 } else { family == .ipv6 } }
      guard !found.isEmpty else {
        throw Hosts.LookupError(host: host, reason: "no \(family == .ipv4 ? "IPv4" : "IPv6") address")
      }
      return found
    }
  }

  /// Why no connection was made.
  public enum ConnectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The host has no address.
    case unknown(Hosts.LookupError)
    /// No address of the target took the connection.
    case unreachable(ConnectionError)

    /// A line for each address that was tried, or for the name that has none.
    public var reasons: [String] {
      switch self {
      case .unknown(let failure): ["\(failure)"]
      case .unreachable(let unreachable): unreachable.failures.map(\.description)
      }
    }

    /// The reasons in one line.
    public var description: String { reasons.joined(separator: "; ") }
  }

  /// Connects to the first address that accepts the connection, as `ClientSocket.connect(toFirstOf:)` does.
  ///
  /// - Parameter family: the only family of addresses that is tried; nil tries both.
  /// - Parameter deadline: bounds all attempts together.  The time of the lookup counts, but the name service is not
  ///   interrupted: resolv.conf(5) bounds it.
  public func connect(family: AddressFamily? = nil, until deadline: Deadline = .never) throws(ConnectError)
    -> ClientConnection
  {
    let found: [SocketAddress]
    do throws(Hosts.LookupError) { found = try addresses(family: family) } catch { throw .unknown(error) }
    do throws(ConnectionError) { return try ClientSocket.connect(toFirstOf: found, until: deadline) } catch {
      throw .unreachable(error)
    }
  }
}

extension ConnectionTarget: CustomStringConvertible {
  /// The form that `init(_:port:transport:)` reads, with unprintable bytes escaped.
  public var description: String {
    switch self {
    case .host(let host, let port) where host.contains(":"): "[\(escaped(host.utf8))]:\(port)"
    case .host(let host, let port): "\(escaped(host.utf8)):\(port)"
    case .unix(let address): address.description
    }
  }
}
