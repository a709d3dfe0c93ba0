import Glibc
@_spi(Begat) import UnixCore

/// Carries bytes between a TLS session and a pair of sockets, of which the other one is as the connection itself would be
/// without TLS: a thread of its own does it, so that all that works with a connection works with this one.
final class TLSBridge: @unchecked Sendable {
  // The thread has all of it, until it is joined.
  private let session: TLSSession
  private let inner: Descriptor
  private var toPeer = ByteFlow(capacity: 1 << 16)
  private var fromPeer = ByteFlow(capacity: 1 << 16)
  private var hasSentEnd = false
  private var hasPassedEnd = false
  /// The readiness that the session waits for, to read and to write.
  private var readInterest = Poller.Interest.readable
  private var writeInterest = Poller.Interest.writable
  /// Why it went wrong.
  private var failure: String?
  private var thread = pthread_t()

  private init(_ session: TLSSession, inner: consuming Descriptor) {
    self.session = session
    self.inner = inner
  }

  /// - Returns: the bridge, and the socket that stands for the connection.
  static func start(_ session: TLSSession) throws(SystemCallError) -> (bridge: TLSBridge, socket: CInt) {
    let pair = try SocketPair()
    try pair.first.setNonBlocking(true)
    let bridge = TLSBridge(session, inner: pair.first)
    let argument = Unmanaged.passRetained(bridge)
    let code = SignalSet.all.withBlocked {
      pthread_create(
        &bridge.thread, nil,
        { argument in
          if let argument { Unmanaged<TLSBridge>.fromOpaque(argument).takeRetainedValue().run() }
          return nil
        }, argument.toOpaque())
    }
    guard code == 0 else {
      argument.release()
      throw SystemCallError("pthread_create", on: "TLS", code: ErrorCode(rawValue: code))
    }
    return (bridge, pair.second.release())
  }

  /// Waits until all is carried, after the other socket is closed.
  ///
  /// - Returns: why it went wrong; nil if it did not.
  func finish() -> String? {
    pthread_join(thread, nil)
    return failure
  }

  private func run() {
    do throws(SystemCallError) {
      while failure == nil, !(hasPassedEnd && hasSentEnd) {
        try moveIn()
        try moveOut()
        if failure != nil || hasPassedEnd && hasSentEnd { break }
        try wait()
      }
    } catch {
      // The command has gone, and no reader is left.
      if error.code != .brokenPipe { failure = "\(error.code)" }
    }
    if !hasSentEnd { _ = session.end() }
    // Bytes that were passed on can still be read.  Bytes written from now on would go nowhere, so writing fails.
    _ = Glibc.shutdown(inner.number, CInt(SHUT_RDWR))
  }

  private func wait() throws(SystemCallError) {
    var outer: Poller.Interest = []
    if fromPeer.wantsMore { outer.formUnion(readInterest) }
    if !toPeer.isEmpty || toPeer.hasEnded && !hasSentEnd { outer.formUnion(writeInterest) }
    var own: Poller.Interest = toPeer.wantsMore ? .readable : []
    if !fromPeer.isEmpty { own.insert(.writable) }
    var set = PollSet()
    set.add(outer.isEmpty ? -1 : session.socket.number, outer)
    // Its hang-up would end each wait.
    set.add(own.isEmpty ? -1 : inner.number, own)
    _ = try set.wait(until: .never)
  }

  /// From the peer to the command.
  private func moveIn() throws(SystemCallError) {
    if fromPeer.wantsMore {
      try fromPeer.fill { (room) throws(SystemCallError) in
        switch session.read(into: room) {
        case .moved(let count): return count
        case .awaits(let interest):
          readInterest = interest
          throw SystemCallError("SSL_read", on: "TLS", code: .wouldBlock)
        case .ended: return 0
        case .cutOff:
          failure = "the connection has ended without the end of TLS: what came may be cut off"
          return 0
        case .failed:
          failure = "TLS: \(session.reason)"
          return 0
        }
      }
    }
    try fromPeer.drain { (bytes) throws(SystemCallError) in try inner.send(bytes, waiting: false) }
    if fromPeer.hasEnded, fromPeer.isEmpty, !hasPassedEnd {
      hasPassedEnd = true
      try? inner.shutDownSending()
    }
  }

  /// From the command to the peer.
  private func moveOut() throws(SystemCallError) {
    try toPeer.fill { (room) throws(SystemCallError) in try inner.receive(into: room, waiting: false) }
    try toPeer.drain { (bytes) throws(SystemCallError) in
      switch session.write(bytes) {
      case .moved(let count): return count
      case .awaits(let interest):
        writeInterest = interest
        throw SystemCallError("SSL_write", on: "TLS", code: .wouldBlock)
      case .ended, .cutOff: throw SystemCallError("SSL_write", on: "TLS", code: .brokenPipe)
      case .failed:
        failure = "TLS: \(session.reason)"
        throw SystemCallError("SSL_write", on: "TLS", code: .brokenPipe)
      }
    }
    if toPeer.hasEnded, toPeer.isEmpty, !hasSentEnd {
      hasSentEnd = session.end()
      writeInterest = .writable
    }
  }
}
