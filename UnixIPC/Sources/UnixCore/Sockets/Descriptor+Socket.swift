import Glibc

/// What every socket can do.  A peer that is gone is the error `EPIPE` or `ECONNRESET`, never a signal.
extension Descriptor {
  /// Opens a socket, close-on-exec.
  ///
  /// - Parameter kind: `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_SEQPACKET`.
  ///
  /// Source: socket(2).
  public static func socket(family: CInt, kind: CInt) throws(SystemCallError) -> Descriptor {
    Descriptor(owning: try check("socket") { Glibc.socket(family, kind | closeOnExecFlag, 0) })
  }

  /// Two Unix sockets that are each other's peer.
  ///
  /// Source: socketpair(2).
  public static func socketPair(kind: CInt) throws(SystemCallError) -> PipeEnds {
    var numbers: (CInt, CInt) = (-1, -1)
    _ = try check("socketpair") {
      withUnsafeMutableBytes(of: &numbers) { raw in
        Glibc.socketpair(
          AF_UNIX, kind | closeOnExecFlag, 0, raw.baseAddress!.assumingMemoryBound(to: CInt.self))
      }
    }
    return PipeEnds(reading: Descriptor(owning: numbers.0), writing: Descriptor(owning: numbers.1))
  }

  /// Sends some of the bytes and tells how many.
  ///
  /// - Parameter waiting: whether to wait for room; else `EAGAIN` is thrown.
  ///
  /// Source: send(2).
  public func send(_ bytes: UnsafeRawBufferPointer, waiting: Bool = true) throws(SystemCallError) -> Int {
    let flags = noSignalFlag | (waiting ? 0 : doNotWaitFlag)
    return try check("send", onDescriptor: number) { Glibc.send(number, bytes.baseAddress, bytes.count, flags) }
  }

  /// Receives what is there; 0 is the end of a stream.
  ///
  /// - Parameter waiting: whether to wait for something; else `EAGAIN` is thrown.
  ///
  /// Source: recv(2).
  public func receive(into buffer: UnsafeMutableRawBufferPointer, waiting: Bool = true) throws(SystemCallError) -> Int {
    let flags = waiting ? 0 : doNotWaitFlag
    return try check("recv", onDescriptor: number) { Glibc.recv(number, buffer.baseAddress, buffer.count, flags) }
  }

  /// Tells the peer that nothing more will be sent; it sees the end of the stream and may still send.
  ///
  /// This is how a client says that its question is complete.  Closing does not say so while another descriptor of the
  /// socket is open, in a forked process for instance.
  ///
  /// - Throws: `ENOTCONN` where there is no peer any more.
  ///
  /// Source: shutdown(2).
  public func shutDownSending() throws(SystemCallError) {
    _ = try check("shutdown", onDescriptor: number) { Glibc.shutdown(number, CInt(SHUT_WR)) }
  }

  /// Wants nothing more from the peer: receiving finds the end of the stream, after what had come already.
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

  /// Sets an option whose value is a number.
  ///
  /// Source: setsockopt(2).
  public func setOption(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemCallError) {
    try setOption(level, option, structure: value)
  }

  /// Sets an option whose value is a structure of C.
  func setOption<Value>(_ level: CInt, _ option: CInt, structure value: Value) throws(SystemCallError) {
    _ = try check("setsockopt") {
      withUnsafeBytes(of: value) { setsockopt(number, level, option, $0.baseAddress, socklen_t($0.count)) }
    }
  }

  /// The value of an option that is a number.
  ///
  /// Source: getsockopt(2).
  public func option(_ level: CInt, _ option: CInt) throws(SystemCallError) -> CInt {
    var value: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    _ = try check("getsockopt") { getsockopt(number, level, option, &value, &length) }
    return value
  }

  /// `SOCK_STREAM`, `SOCK_DGRAM` …; nil for what is no socket (`-S` of the shell and Perl).
  public var socketKind: CInt? { try? option(SOL_SOCKET, SO_TYPE) }

  /// Whether listen(2) was called on it.
  public var isListening: Bool { (try? option(SOL_SOCKET, SO_ACCEPTCONN)) == 1 }

  /// The address that it is bound to, by itself or by the kernel.
  ///
  /// Source: getsockname(2).
  public func localAddress() throws(SystemCallError) -> RawSocketAddress {
    var native = RawSocketAddress()
    _ = try check("getsockname") { native.withMutablePointer { getsockname(number, $0, $1) } }
    return native
  }

  /// The address of its peer.
  ///
  /// - Throws: `ENOTCONN` where there is none.
  ///
  /// Source: getpeername(2).
  public func peerAddress() throws(SystemCallError) -> RawSocketAddress {
    var native = RawSocketAddress()
    _ = try check("getpeername") { native.withMutablePointer { getpeername(number, $0, $1) } }
    return native
  }
}
