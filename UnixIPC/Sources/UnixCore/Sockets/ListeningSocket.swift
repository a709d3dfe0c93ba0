import CPlatform
import Glibc

/// A stream socket that accepts connections.
///
///     let server = try ListeningSocket(port: 7)
///     while let client = try server.nextConnection(until: deadline) {
///       try client.socket.sendAll("Good day, \(client.peer, default: "stranger").\r\n")
///     }
///
/// The socket itself is non-blocking: between poll(2) and accept(2) the client may have gone.  Several threads may accept
/// from one socket.
///
/// Source: listen(2), accept(2).
public struct ListeningSocket: ~Copyable, Sendable {
  /// The descriptor, readable when a client waits.
  public let descriptor: Descriptor

  /// Takes over a socket that is listening already, such as one that was passed to this process.
  ///
  /// - Throws: `EINVAL` if it is not listening, `ENOTSOCK` if it is no socket.
  public init(adopting descriptor: consuming Descriptor) throws(SystemCallError) {
    let number = descriptor.number
    guard try descriptor.option(SOL_SOCKET, SO_ACCEPTCONN) == 1 else {
      throw SystemCallError("accept", onDescriptor: number, code: .invalidArgument)
    }
    try descriptor.setNonBlocking(true)
    descriptor.disableNagle()
    self.descriptor = descriptor
  }

  /// Binds and listens.
  ///
  /// An IPv6 socket takes IPv6 only, unless ``BindOptions/acceptsIPv4`` is set.  A Unix path must not exist:
  /// ``UnixSocketFile`` replaces the socket that a dead server left.
  ///
  /// - Parameter backlog: how many connections may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
  ///
  /// Source: bind(2), listen(2).
  public init(_ address: SocketAddress, backlog: CInt, options: BindOptions = BindOptions()) throws(SystemCallError) {
    try self.init(
      listeningOn: try Descriptor.bound(to: address, kind: .stream, options: options), backlog: backlog,
      address: address)
  }

  /// Binds and listens for connections of another kind than streams.
  @_spi(Begat) public init(_ address: SocketAddress, kind: SocketKind, backlog: CInt) throws(SystemCallError) {
    try self.init(
      listeningOn: try Descriptor.bound(to: address, kind: kind), backlog: backlog, address: address)
  }

  /// Listens at a port of all addresses of the machine, of both families.
  ///
  ///     let server = try ListeningSocket(port: 2345)
  ///
  /// One socket serves both, and shows an IPv4 client by its IPv4 address.  On a machine without IPv6 it serves IPv4 alone.
  ///
  /// - Parameter port: the port; 0 lets the kernel choose one.
  /// - Parameter backlog: how many connections may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
  /// - Throws: `EADDRINUSE` if another socket listens there; `EACCES` for a port below 1024 without the privilege for it.
  ///
  /// Source: ipv6(7), IPV6_V6ONLY.
  public init(port: UInt16, backlog: CInt = 128) throws(SystemCallError) {
    let socket: Descriptor
    let both = SocketAddress.ipv6(.any, port: port)
    do throws(SystemCallError) {
      socket = try Descriptor.bound(to: both, kind: .stream, options: BindOptions(acceptsIPv4: true))
    } catch {
      guard error.code == .addressFamilyNotSupported || error.code == .addressNotAvailable else { throw error }
      try self.init(.ipv4(.any, port: port), backlog: backlog)
      return
    }
    try self.init(listeningOn: socket, backlog: backlog, address: both)
  }

  /// Listens on a socket that is bound already.
  init(listeningOn bound: consuming Descriptor, backlog: CInt, address: SocketAddress) throws(SystemCallError) {
    try bound.setNonBlocking(true)
    bound.disableNagle()
    let number = bound.number
    _ = try check("listen", on: address.description) { Glibc.listen(number, backlog) }
    descriptor = bound
  }

  /// Lets the kernel probe the peers of accepted connections, after 60 s of silence five times 10 s apart, and end the
  /// connection with `ETIMEDOUT` when no answer comes.
  ///
  /// A peer that answers is kept, even if it reads nothing for hours: limiting that is a matter of an idle timeout.
  /// Data that a dead peer does not acknowledge is bounded by `net.ipv4.tcp_retries2`, some 15 minutes by default.
  ///
  /// Source: tcp(7), SO_KEEPALIVE in socket(7).
  public func enableKeepalive() {
    // Accepted connections inherit them all.  Unix sockets have none: their kernel knows when a peer is gone.
    guard (try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_KEEPIDLE, 60)) != nil else { return }
    try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_KEEPINTVL, 10)
    try? descriptor.setOption(CInt(IPPROTO_TCP), TCP_KEEPCNT, 5)
    // No TCP_USER_TIMEOUT beside them: since Linux 5.11 (9d9b1ee0b2d1) it also ends connections whose peer acknowledges
    // every window probe and merely does not read, a suspended download for one, and their data is lost.  While data is
    // unacknowledged the kernel sends no keep-alive probes; tcp_retries2 then limits retransmissions and unanswered
    // window probes (ip-sysctl, tcp_retries2; tcp_probe_timer in net/ipv4/tcp_timer.c).
    try? descriptor.setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
  }

  /// Whether clients can connect: false after shutdown(2), which any process that shares the socket may have called.
  @_spi(Begat) public var isServing: Bool {
    // A Unix socket goes on saying that it listens, and counts as hung up.
    descriptor.isListening
      && PollSet.readiness(of: descriptor.number, for: .endOfSending).isDisjoint(with: [.endOfSending, .hungUp])
  }

  /// Listens again after shutdown(2).
  ///
  /// - Parameter address: where it listened.
  /// - Throws: `EINVAL` for a Unix socket, which stays shut down; what bind(2) and listen(2) throw.
  ///
  /// Source: listen(2).
  @_spi(Begat) public func listenAgain(at address: SocketAddress, backlog: CInt) throws(SystemCallError) {
    try descriptor.listenAgain(at: address, backlog: backlog)
    // A Unix socket takes the call and goes on refusing.
    guard isServing else { throw SystemCallError("listen", on: address.description, code: .invalidArgument) }
  }

  /// Hands the descriptor over, still listening.
  public consuming func release() -> Descriptor { descriptor }
}

extension Descriptor {
  /// Makes an internet stream socket that was shut down listen again; it keeps its options.
  ///
  /// A port that the kernel had chosen was given up with the shutdown, though getsockname(2) goes on naming it: it is
  /// bound anew, if it is still free.
  ///
  /// Source: listen(2).
  @_spi(Begat) public func listenAgain(at address: SocketAddress, backlog: CInt) throws(SystemCallError) {
    let number = number
    let native = try RawSocketAddress(address)
    do throws(SystemCallError) {
      _ = try check("bind", on: address.description) { native.withPointer { Glibc.bind(number, $0, $1) } }
    } catch {
      // The socket has kept its address.
      if error.code != .invalidArgument { throw error }
    }
    _ = try check("listen", on: address.description) { Glibc.listen(number, backlog) }
  }

  /// Lets accepted connections, which inherit it, send small pieces without waiting for the answer to earlier ones.
  ///
  /// Source: tcp(7), TCP_NODELAY.
  fileprivate func disableNagle() {
    // Unix sockets do so anyway.
    try? setOption(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
  }

  /// A socket of the address's family, bound to it.
  ///
  /// Source: bind(2).
  @_spi(Begat) public static func bound(
    to address: SocketAddress, kind: SocketKind, options: BindOptions = BindOptions()
  )
    throws(SystemCallError) -> Descriptor
  {
    // The kernel would choose an abstract name, which any user can connect to.
    if address == .unixUnnamed || address == .unixPath(UnixPath(bytes: [])) {
      throw SystemCallError("bind", on: "a Unix socket without a name", code: .invalidArgument)
    }
    let native = try RawSocketAddress(address)
    let socket = try Descriptor.socket(family: native.family, kind: kind)
    if !address.isUnix {
      // Connections of a former server in TIME_WAIT do not keep the port.
      if kind == .stream { try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
      try options.apply(to: socket, family: native.family)
    }
    _ = try check("bind", on: address.description) { native.withPointer { Glibc.bind(socket.number, $0, $1) } }
    return socket
  }
}
