import Glibc

/// Sending and receiving.  A peer that is gone is the error `EPIPE` or `ECONNRESET`, never a signal.
extension Descriptor {
  /// Sends some of the bytes and returns how many.
  ///
  /// - Parameter waiting: whether to wait for room; else `EAGAIN` is thrown.
  ///
  /// Source: send(2).
  public func send(_ bytes: UnsafeRawBufferPointer, waiting: Bool = true) throws(SystemCallError) -> Int {
    let flags = noSignalFlag | (waiting ? 0 : doNotWaitFlag)
    return try check("send", onDescriptor: number) { Glibc.send(number, bytes.baseAddress, bytes.count, flags) }
  }

  /// Sends some of the bytes and returns how many.
  ///
  /// - Parameter waiting: whether to wait for room; else `EAGAIN` is thrown.
  ///
  /// Source: send(2).
  public func send(_ bytes: RawSpan, waiting: Bool = true) throws(SystemCallError) -> Int {
    try bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in try send(bytes, waiting: waiting) }
  }

  /// Sends all of the bytes on a stream, waiting for the peer to take them; whatever the socket's flags, it ends at the
  /// deadline.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when it is cancelled, `EPIPE` or `ECONNRESET` when the peer is
  ///   gone.  Some of the bytes may have been sent then.
  ///
  /// Source: send(2).
  public func sendAll(
    _ bytes: UnsafeRawBufferPointer, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) {
    var rest = bytes
    while !rest.isEmpty {
      do throws(SystemCallError) {
        rest = UnsafeRawBufferPointer(rebasing: rest[try send(rest, waiting: false)...])
        // A peer that takes everything quickly never makes this wait.
        if !rest.isEmpty, deadline.isExpired { throw failure("send", .timedOut) }
      } catch {
        guard error.code == .wouldBlock else { throw error }
        try self.await(.writable, until: deadline, cancelledBy: cancellation, for: "send")
      }
    }
  }

  /// Sends all of the bytes, as ``sendAll(_:until:cancelledBy:)-(UnsafeRawBufferPointer,_,_)`` does.
  public func sendAll(
    _ bytes: RawSpan, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) {
    try bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in
      try sendAll(bytes, until: deadline, cancelledBy: cancellation)
    }
  }

  /// Sends all of the bytes, as ``sendAll(_:until:cancelledBy:)-(UnsafeRawBufferPointer,_,_)`` does.
  public func sendAll(
    _ bytes: [UInt8], until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) { try sendAll(bytes.span.bytes, until: deadline, cancelledBy: cancellation) }

  /// Sends a whole text as UTF-8, as ``sendAll(_:until:cancelledBy:)-(UnsafeRawBufferPointer,_,_)`` does.
  public func sendAll(
    _ text: String, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) { try sendAll(text.utf8Span.span.bytes, until: deadline, cancelledBy: cancellation) }

  /// Receives what is there; 0 is the end of a stream.
  ///
  /// - Parameter waiting: whether to wait for something; else `EAGAIN` is thrown.
  ///
  /// Source: recv(2).
  public func receive(into buffer: UnsafeMutableRawBufferPointer, waiting: Bool = true) throws(SystemCallError) -> Int {
    let flags = waiting ? 0 : doNotWaitFlag
    return try check("recv", onDescriptor: number) { Glibc.recv(number, buffer.baseAddress, buffer.count, flags) }
  }

  /// Receives the next message and its sender's address; never waits.
  ///
  /// - Throws: `EAGAIN` if none is there.
  ///
  /// Source: recvfrom(2).
  @_spi(Begat) public func receive(
    into buffer: UnsafeMutableRawBufferPointer, from sender: inout RawSocketAddress
  ) throws(SystemCallError) -> Int {
    try check("recvfrom", onDescriptor: number) {
      sender.withMutablePointer { Glibc.recvfrom(number, buffer.baseAddress, buffer.count, doNotWaitFlag, $0, $1) }
    }
  }

  /// Looks at what is there, at most as much as the buffer takes, and leaves it there; 0 is the end of a stream.
  ///
  /// - Throws: `EAGAIN` if nothing is there.
  ///
  /// Source: recv(2), MSG_PEEK.
  @_spi(Begat) public func peek(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
    try check("recv", onDescriptor: number) {
      Glibc.recv(number, buffer.baseAddress, buffer.count, peekFlag | doNotWaitFlag)
    }
  }

  /// Receives what is there behind the bytes that the span has, at most its free capacity.
  ///
  /// - Parameter waiting: whether to wait for something; else `EAGAIN` is thrown.
  /// - Returns: the number of bytes; 0 at the end of a stream, and for a span that is full.
  ///
  /// Source: recv(2).
  public func receive(into span: inout OutputRawSpan, waiting: Bool = true) throws(SystemCallError) -> Int {
    try span.appendOnce { (room) throws(SystemCallError) in try receive(into: room, waiting: waiting) }
  }

  /// Receives what is there, at most `maxCount` bytes, after waiting for something to come.
  ///
  /// - Returns: the bytes; none at the end of a stream.
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when it is cancelled.
  ///
  /// Source: recv(2).
  public func receive(
    maxCount: Int, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> [UInt8] {
    guard maxCount >= 0 else { throw failure("recv", .invalidArgument) }
    var bytes: [UInt8] = []
    while true {
      do throws(SystemCallError) {
        _ = try bytes.appendOnce(atMost: maxCount) { (room) throws(SystemCallError) in
          try receive(into: room, waiting: false)
        }
        return bytes
      } catch {
        guard error.code == .wouldBlock else { throw error }
        try self.await(.readable, until: deadline, cancelledBy: cancellation, for: "recv")
      }
    }
  }
}
