import CPlatform
import Glibc

/// A stream socket that waits for connections.
///
/// Never blocks: between the kernel's word that a client waits and accept(2) the client may have gone.
public struct ListeningSocket: ~Copyable {
  public let descriptor: Descriptor

  /// Takes over a socket that somebody else has made; it must be listening already.
  ///
  /// - Throws: `EINVAL` when it is not, `ENOTSOCK` when it is no socket.
  public init(adopting descriptor: consuming Descriptor) throws(CallFailure) {
    let number = descriptor.number
    guard try descriptor.option(SOL_SOCKET, SO_ACCEPTCONN) == 1 else {
      throw CallFailure("accept", on: "descriptor \(number)", errno: .invalidArgument)
    }
    try descriptor.setNonBlocking(true)
    descriptor.sendsAtOnce()
    self.descriptor = descriptor
  }

  /// Binds and listens.  An IPv6 socket takes IPv6 only; a Unix path must not exist (see `UnixSocketFile`).
  ///
  /// - Parameter backlog: how many connections may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
  ///
  /// Source: bind(2), listen(2).
  public init(_ address: SocketAddress, backlog: CInt, options: BindOptions = BindOptions()) throws(CallFailure) {
    try self.init(
      listeningOn: try Descriptor.bound(to: address, kind: streamKind, options: options), backlog: backlog,
      address: address)
  }

  /// Listens on a socket that is bound already.
  init(listeningOn bound: consuming Descriptor, backlog: CInt, address: SocketAddress) throws(CallFailure) {
    try bound.setNonBlocking(true)
    bound.sendsAtOnce()
    let number = bound.number
    _ = try check("listen", on: address.description) { Glibc.listen(number, backlog) }
    descriptor = bound
  }

  /// Lets the kernel ask peers of accepted connections for a sign of life, after 60 s of silence five times 10 s apart,
  /// and end the connection with `ETIMEDOUT` when there is none.
  ///
  /// A peer that answers is kept, even if it reads nothing for hours: how long that may last is a question of idle time.
  /// Data that a dead peer does not acknowledge is bounded by `net.ipv4.tcp_retries2`, some 15 minutes by default.
  ///
  /// Source: tcp(7), SO_KEEPALIVE in socket(7).
  public func keepConnectionsAlive() {
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

  /// Whether clients can connect: false after shutdown(2), which whoever shares the socket may have called.
  public var isServing: Bool {
    // A Unix socket goes on saying that it listens, and counts as hung up.
    let shutDown = Poller.Interest(rawValue: UInt32(hangUpOfOneDirection))
    return descriptor.isListening
      && PollSet.readiness(of: descriptor.number, for: shutDown).isDisjoint(with: [shutDown, .hungUp])
  }

  /// Listens again after shutdown(2).
  ///
  /// - Parameter address: where it listened.
  /// - Throws: `EINVAL` for a Unix socket, which stays shut down; what bind(2) and listen(2) throw.
  ///
  /// Source: listen(2).
  public func listenAgain(at address: SocketAddress, backlog: CInt) throws(CallFailure) {
    try descriptor.listenAgain(at: address, backlog: backlog)
    // A Unix socket takes the call and goes on refusing.
    guard isServing else { throw CallFailure("listen", on: address.description, errno: .invalidArgument) }
  }

  /// Hands the descriptor over, still listening.
  public consuming func release() -> Descriptor { descriptor }

  /// Takes the next connection that waits, with its peer's address.
  ///
  /// - Returns: a blocking, close-on-exec socket.
  /// - Throws: `EAGAIN` when none waits; `isPassing` errors concern this one connection; `isShortage` ones the machine.
  ///
  /// Source: accept(2).
  public func accept(peer: inout NativeAddress) throws(Errno) -> Descriptor {
    Descriptor(
      owning: try attempt {
        peer.withMutablePointer { platform_accept4(descriptor.number, $0, $1, closeOnExecFlag) }
      })
  }
}

extension Errno {
  /// Of accept(2): the connection died before it was taken, or a firewall forbade it; the next one is another matter.
  public var isPassing: Bool {
    switch rawValue {
    case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM:
      true
    default: false
    }
  }

  /// Descriptors, memory or processes are used up: wait and try again.
  public var isShortage: Bool {
    switch rawValue {
    case EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN: true
    default: false
    }
  }
}

extension Descriptor {
  /// Makes an internet stream socket listen again that was shut down; it keeps its options.
  ///
  /// A port that the kernel had chosen was given up with the shutdown, though getsockname(2) goes on naming it: it is
  /// bound anew, if it is still free.
  ///
  /// Source: listen(2).
  public func listenAgain(at address: SocketAddress, backlog: CInt) throws(CallFailure) {
    let number = number
    let native = try NativeAddress(address)
    do throws(CallFailure) {
      _ = try check("bind", on: address.description) { native.withPointer { Glibc.bind(number, $0, $1) } }
    } catch {
      // Of one that has kept its address.
      if error.errno != .invalidArgument { throw error }
    }
    _ = try check("listen", on: address.description) { Glibc.listen(number, backlog) }
  }

  /// Lets accepted connections, which inherit it, send small pieces without waiting for the answer to earlier ones.
  ///
  /// Source: tcp(7), TCP_NODELAY.
  fileprivate func sendsAtOnce() {
    // Unix sockets do so anyway.
    try? setOption(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
  }

  /// A socket of the address's family, bound to it.
  static func bound(to address: SocketAddress, kind: CInt, options: BindOptions = BindOptions())
    throws(CallFailure) -> Descriptor
  {
    let native = try NativeAddress(address)
    let socket = try Descriptor.socket(family: native.family, kind: kind)
    if !address.isUnix {
      // Connections of a former server in TIME_WAIT do not keep the port.
      if kind == streamKind { try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
      if native.family == AF_INET6 { try socket.setOption(CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
      try options.apply(to: socket, family: native.family)
    }
    _ = try check("bind", on: address.description) { native.withPointer { Glibc.bind(socket.number, $0, $1) } }
    return socket
  }
}
