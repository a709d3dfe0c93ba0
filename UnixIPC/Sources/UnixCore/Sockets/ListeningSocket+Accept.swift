import CPlatform
import Glibc

/// A connection that a listening socket has accepted.
@frozen public struct AcceptedConnection: ~Copyable, Sendable {
  /// The connection: blocking and close-on-exec.
  public var socket: Descriptor
  /// The address of the client, a mapped IPv4 address as the IPv4 address it is; nil for a family that this library does
  /// not know.
  public let peer: SocketAddress?

  /// Makes a connection of a socket and its peer's address.
  public init(socket: consuming Descriptor, peer: SocketAddress?) {
    self.socket = socket
    self.peer = peer
  }
}

extension ListeningSocket {
  /// Waits for a client and accepts its connection.
  ///
  /// A connection that dies in the backlog is passed over, and so is one that another process has accepted first.  At the
  /// deadline that counts as if none had come.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline; `ECANCELED` when it is cancelled; `EMFILE`, `ENFILE`, `ENOBUFS` or `ENOMEM` when
  ///   there is no room for another connection, which waits in the backlog then; `EINVAL` after a shutdown(2).
  ///
  /// Source: accept(2).
  public func accept(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> AcceptedConnection {
    try accept(until: deadline, cancelledBy: cancellation) { (peer) throws(SystemCallError) in try accept(peer: &peer) }
  }

  /// - Parameter acceptNext: accepts a connection that waits, as `accept(peer:)` does.
  func accept(
    until deadline: Deadline, cancelledBy cancellation: Cancellation?,
    _ acceptNext: (inout RawSocketAddress) throws(SystemCallError) -> Descriptor
  ) throws(SystemCallError) -> AcceptedConnection {
    var peer = RawSocketAddress()
    while true {
      do throws(SystemCallError) {
        let socket = try acceptNext(&peer)
        return AcceptedConnection(socket: socket, peer: peer.address?.unmapped)
      } catch {
        let isTransient = error.code.isTransientAcceptError
        guard isTransient || error.code == .wouldBlock else { throw error }
        if isTransient, deadline.isExpired { throw SystemCallError("accept", code: .timedOut) }
      }
      // Readable still if another one waits.
      try descriptor.await(.readable, until: deadline, cancelledBy: cancellation, for: "accept")
    }
  }

  /// The next connection; nil at the deadline and when it is cancelled.
  ///
  /// For loops: `while let client = try server.nextConnection(until: deadline) { … }`.
  ///
  /// - Throws: as ``accept(until:cancelledBy:)``, except for `ETIMEDOUT` and `ECANCELED`.
  ///
  /// Source: accept(2).
  public func nextConnection(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> AcceptedConnection? {
    do throws(SystemCallError) { return try accept(until: deadline, cancelledBy: cancellation) } catch {
      if error.code == .timedOut || error.code == .canceled { return nil }
      throw error
    }
  }

  /// Accepts the next connection that waits, with its peer's address as the kernel has it; never waits.
  ///
  /// - Returns: a blocking, close-on-exec socket.
  /// - Throws: `EAGAIN` when none waits; errors that are `isTransientAcceptError` concern this one connection, those that
  ///   are `isResourceExhaustion` the machine.
  ///
  /// Source: accept(2).
  @_spi(Begat) public func accept(peer: inout RawSocketAddress) throws(SystemCallError) -> Descriptor {
    Descriptor(
      owning: try check("accept", onDescriptor: descriptor.number) {
        peer.withMutablePointer { platform_accept4(descriptor.number, $0, $1, closeOnExecFlag) }
      })
  }
}

extension ErrorCode {
  /// Whether an error of accept(2) concerns one connection, which died before it was accepted or which a firewall
  /// forbade; the next one may be well.
  @_spi(Begat) public var isTransientAcceptError: Bool {
    switch self {
    case .connectionAbort, .protocolError, .networkDown, .protocolNotAvailable, .hostIsDown, .notOnNetwork,
      .noRouteToHost, .notSupported, .networkUnreachable, .notPermitted:
      true
    default: false
    }
  }

  /// Whether descriptors, memory or processes are used up: the call may succeed later.
  @_spi(Begat) public var isResourceExhaustion: Bool {
    switch self {
    case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory, .wouldBlock: true
    default: false
    }
  }
}
