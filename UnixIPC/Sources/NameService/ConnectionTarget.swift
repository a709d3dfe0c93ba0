@_spi(Begat) import UnixCore

/// Whom a client is to speak to, as it was typed: a host and a port, or a Unix socket.
///
///     let target = try ConnectionTarget("localhost", port: "daytime(13)")
///     let connection = try target.connect(until: Deadline(after: .seconds(10)))
public enum ConnectionTarget: Hashable, Sendable {
  case host(String, port: UInt16)
  case unix(SocketAddress)

  /// Words that name no target; the description says why.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Reads `HOST PORT`, or in one word `HOST:PORT`, a path that begins with `/`, `./` or `../`, or `@abstract`.
  ///
  /// The port is a number, a name of services(5), or both: `daytime(13)` is 13 where the name is unknown.
  ///
  /// - Parameter transport: the one whose names of ports are meant.
  public init(_ place: String, port: String?, transport: Transport = .tcp) throws(Problem) {
    let isUnix = Self.isUnix(place)
    guard let port else {
      if isUnix {
        self = .unix(place.hasPrefix("@") ? .unixAbstract(Array(place.utf8.dropFirst())) : .unixPath(place))
        return
      }
      guard let (host, port) = Self.split(place) else {
        throw Problem(
          description: "\(escaped(place.utf8)): a host needs a port, a Unix socket is /PATH, ./PATH or @NAME")
      }
      try self.init(host, port: port, transport: transport)
      return
    }
    guard !isUnix else { throw Problem(description: "\(escaped(place.utf8)): a Unix socket has no port") }
    let isBracketed = place.hasPrefix("[") && place.hasSuffix("]")
    let host = isBracketed ? String(place.dropFirst().dropLast()) : place
    guard !host.isEmpty else { throw Problem(description: "the host is empty") }
    guard let number = Ports.find(port, transport: transport), number != 0 else {
      throw Problem(description: "\(escaped(port.utf8)): no such port (a number, a name, or NAME(NUMBER))")
    }
    self = .host(host, port: number)
  }

  /// Reads one word: `HOST`, `HOST:PORT`, an IPv6 address, which has a port in brackets only (`[::1]:13`), or a Unix
  /// socket.
  ///
  /// - Parameter defaultPort: of a host that is written without one.
  public init(_ word: String, defaultPort: String, transport: Transport = .tcp) throws(Problem) {
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

  /// All its addresses, in the order in which they should be tried.
  public func addresses() throws(Hosts.Failure) -> [SocketAddress] {
    switch self {
    case .host(let host, let port): try Hosts.addresses(of: host, port: port)
    case .unix(let address): [address]
    }
  }

  /// Why no connection was made.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case unknown(Hosts.Failure)
    case unreachable(ConnectionError)

    /// A line for each address that was tried, or for the name that has none.
    public var reasons: [String] {
      switch self {
      case .unknown(let failure): ["\(failure)"]
      case .unreachable(let unreachable): unreachable.failures.map(\.description)
      }
    }

    public var description: String { reasons.joined(separator: "; ") }
  }

  /// Connects to the first of its addresses that takes the connection, as `ClientSocket.connect(toFirstOf:)` does.
  ///
  /// - Parameter deadline: for all addresses together.  The time that the name takes counts; but the name service is
  ///   not interrupted, and resolv.conf(5) bounds what it takes.
  public func connect(until deadline: Deadline = .never) throws(Failure) -> ClientConnection {
    let found: [SocketAddress]
    do throws(Hosts.Failure) { found = try addresses() } catch { throw .unknown(error) }
    do throws(ConnectionError) { return try ClientSocket.connect(toFirstOf: found, until: deadline) } catch {
      throw .unreachable(error)
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
