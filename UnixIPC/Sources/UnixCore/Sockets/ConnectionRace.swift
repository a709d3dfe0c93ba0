import Glibc

/// A connection that this process made, and the address that took it.
@frozen public struct ClientConnection: ~Copyable, Sendable {
  /// The connection: blocking and close-on-exec.
  public let socket: Descriptor
  /// The address of the server that took it.
  public let address: SocketAddress

  /// Makes a connection of a socket and the address that it is connected to.
  public init(socket: consuming Descriptor, address: SocketAddress) {
    self.socket = socket
    self.address = address
  }
}

/// A connection failed at each of several addresses.
public struct ConnectionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One for each address that was tried, in that order: `connect [::1]:13: Connection refused`.
  public let failures: [SystemCallError]

  /// Creates an error of the failures at each address.
  public init(failures: [SystemCallError]) { self.failures = failures }

  /// The failures in one line, separated by semicolons.
  public var description: String {
    failures.isEmpty ? "no address" : failures.map(\.description).joined(separator: "; ")
  }
}

extension ClientSocket {
  /// Connects to the first of several addresses that takes the connection; the attempts at the others are ended.
  ///
  /// The next address is tried 250 ms after the last, or immediately when one has failed, so that a silent address costs a
  /// quarter of a second and not the whole time.  A deadline that is nearer leaves each its part, of 10 ms at least.
  /// IPv6 and IPv4 take turns, beginning with the kind of the first address.
  ///
  /// - Parameter addresses: in the order of preference.  One Unix socket alone is waited for while its backlog is full;
  ///   among others it fails then.
  /// - Throws: `ConnectionError` when all have failed, those still undecided at the deadline with `ETIMEDOUT`.
  ///
  /// Source: RFC 8305 §4 and §5.
  public static func connect(toFirstOf addresses: [SocketAddress], until deadline: Deadline = .never)
    throws(ConnectionError) -> ClientConnection
  {
    let failures: [SystemCallError]
    do throws(SystemCallError) {
      if addresses.count == 1 {
        return ClientConnection(socket: try connect(to: addresses[0], until: deadline), address: addresses[0])
      }
      var race = try ConnectionRace(addresses, until: deadline)
      if let winner = try race.run() { return winner }
      failures = race.errors
    } catch { failures = [error] }
    throw ConnectionError(failures: failures)
  }
}

/// Attempts at several addresses, of which one is to win: for callers that have many such races at a time.
///
/// The addresses are tried as by `ClientSocket.connect(toFirstOf:until:)`; attempts under way end with this value.
///
///     var race = try ConnectionRace(addresses, until: deadline)
///     // Whenever race.descriptor is readable or race.due has passed:
///     if let winner = try race.advance() { … } else if race.hasFailed { … }
@_spi(Begat) public struct ConnectionRace: ~Copyable, Sendable {
  private let addresses: [SocketAddress]
  private let deadline: Deadline
  private let delay: Duration
  private let poller: Poller
  private var sockets: DescriptorSlots
  private var failures: [SystemCallError?]
  private var started = 0
  private var undecided = 0
  /// When the next address is due.
  private var next = Deadline.immediate

  private static let delay: Duration = .milliseconds(250)
  private static let leastDelay: Duration = .milliseconds(10)

  /// Starts nothing yet.
  ///
  /// - Parameter addresses: in the order of preference.
  public init(_ addresses: [SocketAddress], until deadline: Deadline) throws(SystemCallError) {
    let deadline = min(deadline, .current)
    self.addresses = Self.interleaved(addresses)
    self.deadline = deadline
    if let left = deadline.remaining, !addresses.isEmpty {
      delay = min(Self.delay, max(Self.leastDelay, left / addresses.count))
    } else {
      delay = Self.delay
    }
    poller = try Poller()
    sockets = DescriptorSlots(count: addresses.count)
    failures = Array(repeating: nil, count: addresses.count)
  }

  /// IPv6 and others in turns, each kind in its own order, beginning with the kind of the first.
  static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
    func isVersion6(_ address: SocketAddress) -> Bool { if case .ipv6 = address { true } else { false } }
    guard let first = addresses.first.map(isVersion6) else { return [] }
    let preferred = addresses.filter { isVersion6($0) == first }
    let others = addresses.filter { isVersion6($0) != first }
    var ordered: [SocketAddress] = []
    for index in 0..<max(preferred.count, others.count) {
      if index < preferred.count { ordered.append(preferred[index]) }
      if index < others.count { ordered.append(others[index]) }
    }
    return ordered
  }

  /// Readable when an attempt is decided.
  public var descriptor: CInt { poller.descriptor.number }

  /// When `advance` has something to do at the latest.
  public var due: Deadline { started < addresses.count ? min(next, deadline) : deadline }

  /// Whether every address has been tried and none took the connection.
  public var hasFailed: Bool { started == addresses.count && undecided == 0 }

  /// Why each address that was tried has failed; one that is undecided has had its time.
  public var errors: [SystemCallError] {
    (0..<started).map {
      failures[$0] ?? SystemCallError("connect", on: addresses[$0].description, code: .timedOut)
    }
  }

  /// The connection that was made first; nil when all have failed or the deadline has passed.
  mutating func run() throws(SystemCallError) -> ClientConnection? {
    while !hasFailed {
      if let winner = try advance(waiting: true) { return winner }
      if deadline.isExpired { return nil }
    }
    return nil
  }

  /// Starts the next attempt if it is due, and looks which are decided; the first success, if there is one.
  ///
  /// - Parameter waiting: whether to wait until there is something to do.
  /// - Throws: what is wrong with all of them; what is wrong with an address is among the `errors`.
  public mutating func advance(waiting: Bool = false) throws(SystemCallError) -> ClientConnection? {
    if started < addresses.count, undecided == 0 || next.hasPassed {
      next = try startNext() ? Deadline(after: delay) : Deadline.immediate
    }
    return undecided > 0 ? try decided(within: waiting ? due.milliseconds : 0) : nil
  }

  /// Only a failure of this address is kept: what is wrong with the poller is wrong with all.
  ///
  /// - Returns: whether the attempt is under way.
  private mutating func startNext() throws(SystemCallError) -> Bool {
    let index = started
    started += 1
    let socket: Descriptor
    do throws(SystemCallError) { socket = try ClientSocket.start(to: addresses[index]) } catch {
      failures[index] = error
      return false
    }
    try poller.add(socket.number, .writable, token: UInt64(index))
    sockets.put(socket, at: index)
    undecided += 1
    return true
  }

  /// Waits once for attempts that are decided; the first success, if there is one.
  private mutating func decided(within milliseconds: CInt) throws(SystemCallError) -> ClientConnection? {
    var ready: [Int] = []
    poller.wait(milliseconds: milliseconds) { ready.append(Int($0.token)) }
    for index in ready {
      guard let socket = sockets.take(at: index) else { continue }
      undecided -= 1
      try poller.remove(socket.number)
      do throws(SystemCallError) {
        try ClientSocket.finish(socket, to: addresses[index])
        try socket.setNonBlocking(false)
        return ClientConnection(socket: socket, address: addresses[index])
      } catch {
        failures[index] = error
        next = Deadline.immediate
      }
    }
    return nil
  }
}
