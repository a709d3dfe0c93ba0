import Glibc

/// What every socket can do.  A peer that is gone is the error `EPIPE` or `ECONNRESET`, never a signal.
extension Descriptor {
  /// Opens a socket, close-on-exec.
  ///
  /// - Parameter isNonBlocking: whether sending and receiving fail with `EAGAIN` where they would wait.
  ///
  /// Source: socket(2).
  public static func socket(
    family: AddressFamily, kind: SocketKind, isNonBlocking: Bool = false
  ) throws(SystemCallError) -> Descriptor {
    let flags = closeOnExecFlag | (isNonBlocking ? nonBlockingFlag : 0)
    return Descriptor(owning: try check("socket") { Glibc.socket(family.rawValue, kind.rawValue | flags, 0) })
  }

  /// Ends the stream to the peer, which sees its end and may still send.
  ///
  /// This is how a client shows that its question is complete.  Closing does not while another descriptor of the socket
  /// is open, in a forked process for instance.
  ///
  /// - Throws: `ENOTCONN` if there is no peer any more.
  ///
  /// Source: shutdown(2).
  public func shutDownSending() throws(SystemCallError) {
    _ = try check("shutdown", onDescriptor: number) { Glibc.shutdown(number, CInt(SHUT_WR)) }
  }

  /// Ends the stream from the peer: receiving finds its end, after what had come already.
  ///
  /// The peer of a Unix socket gets `EPIPE` when it sends on.  The peer of a TCP connection learns nothing, and what it
  /// sends can still be received: only closing ends that.
  ///
  /// - Throws: `ENOTCONN` where there is no peer any more.
  ///
  /// Source: shutdown(2), unix(7).
  public func shutDownReceiving() throws(SystemCallError) {
    _ = try check("shutdown", onDescriptor: number) { Glibc.shutdown(number, CInt(SHUT_RD)) }
  }

  /// Whether listen(2) was called on it.
  public var isListening: Bool { (try? option(SOL_SOCKET, SO_ACCEPTCONN)) == 1 }

  /// The address that it is bound to, by itself or by the kernel.
  ///
  /// Source: getsockname(2).
  public func localAddress() throws(SystemCallError) -> RawSocketAddress {
    var native = RawSocketAddress()
    _ = try check("getsockname", onDescriptor: number) { native.withMutablePointer { getsockname(number, $0, $1) } }
    return native
  }

  /// The address of its peer.
  ///
  /// - Throws: `ENOTCONN` where there is none.
  ///
  /// Source: getpeername(2).
  public func peerAddress() throws(SystemCallError) -> RawSocketAddress {
    var native = RawSocketAddress()
    _ = try check("getpeername", onDescriptor: number) { native.withMutablePointer { getpeername(number, $0, $1) } }
    return native
  }
}
