import Glibc
@_spi(Begat) import UnixCore

/// One client's byte stream, as a service sees it: it receives, it sends, it ends.
///
/// The same on a socket, on standard input and output and on a socketpair of a test.  Time limits are kept by the
/// process's alarm, whose default action ends it: a service needs no code for them.
public struct Connection: ~Copyable {
  public let peer: Peer
  private let input: Descriptor
  /// Nil where one socket is both.
  private let output: Descriptor?
  private let isSocket: Bool
  package let limits: TimeLimits
  private let tally: Tally
  private var hasReceived = false
  private var isAlarmSet = false

  /// How long a client may stay that has its reply and does not close: unread bytes must not destroy the reply.
  private enum Lingering: Int {
    case usual = 5_000_000_000
    case short = 200_000_000

    var time: timespec { timespec(tv_sec: rawValue / 1_000_000_000, tv_nsec: rawValue % 1_000_000_000) }
  }

  private var lingering = Lingering.usual

  /// A connection over one socket.
  public init(socket: consuming Descriptor, peer: consuming Peer, limits: TimeLimits = TimeLimits(), tally: Tally) {
    input = socket
    output = nil
    isSocket = true
    self.peer = peer
    self.limits = limits
    self.tally = tally
  }

  /// A connection over standard input and output, whatever they are.
  public init(
    input: consuming Descriptor, output: consuming Descriptor, peer: Peer, limits: TimeLimits = TimeLimits(),
    tally: Tally
  ) {
    self.isSocket = input.socketKind != nil && output.socketKind != nil
    self.input = input
    self.output = consume output
    self.peer = peer
    self.limits = limits
    self.tally = tally
  }

  // MARK: - For services that wait for several descriptors

  /// The descriptor at which to wait for the client's bytes.
  package var inputNumber: CInt { input.number }

  /// The descriptor at which to wait for room.
  package var outputNumber: CInt {
    switch output {
    case .some(let output): output.number
    case nil: input.number
    }
  }

  /// Receives what is there, without waiting and without a limit of time (`EAGAIN`).
  package mutating func receiveNow(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
    let count = try input.receive(into: buffer, waiting: false)
    tally.received.pointee &+= UInt64(count)
    return count
  }

  /// Receives until an absolute deadline; the connection's limits do not apply.
  ///
  /// - Parameter limit: takes no more bytes than this.
  /// - Returns: how many bytes came: 0 means that the client will send no more, nil that the time is over.
  package mutating func receive(
    appendingTo bytes: inout [UInt8], atMost limit: Int, until deadline: Deadline
  ) throws(ConnectionFailure) -> Int? {
    while input.wait(for: .readable, until: deadline) {
      do throws(SystemCallError) {
        return try withBuffer(limit) { (buffer) throws(SystemCallError) in
          let count = try receiveNow(into: buffer)
          bytes += buffer[..<count]
          return count
        }
      } catch {
        guard error.code == .wouldBlock else { throw ConnectionFailure(error) }
      }
    }
    return nil
  }

  /// Sends as much as can be sent without waiting (`EAGAIN`).
  package mutating func sendNow(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int {
    let count = try sendSome(bytes, waiting: false)
    tally.sent.pointee &+= UInt64(count)
    return count
  }

  /// Tells the client that the reply is whole; it may go on sending.
  package mutating func endReply() { _ = shutDownSending() }

  /// Ends the connection immediately, in both directions.
  package mutating func cut() { shutdown(input.number, CInt(SHUT_RDWR)) }

  /// Records the limit that is about to end this process, for the listener's record.
  package func noteMissed(_ limit: Waiting) { tally.waiting.pointee = limit.rawValue }

  /// The server's address.
  package var localAddress: SocketAddress? { (try? input.localAddress())?.address }

  // MARK: - For every service

  /// Receives what the client has sent, at most the buffer's size; 0 means that it will send no more.
  ///
  /// The time limits are for what the client has to do: a service whose answer takes work of its own calls `stopClock`
  /// when it has a whole question.
  ///
  /// - Parameter beginsRecord: whether a new line or record is awaited.  The idle limit is for a whole record, so that
  ///   a client that sends a byte now and then does not stay forever.
  public mutating func receive(into buffer: UnsafeMutableRawBufferPointer, beginsRecord: Bool = true)
    throws(ConnectionFailure) -> Int
  {
    if beginsRecord { watch(hasReceived ? .idle : .firstByte) }
    do throws(SystemCallError) {
      let count = try isSocket ? input.receive(into: buffer) : input.read(into: buffer)
      if count > 0 {
        tally.received.pointee &+= UInt64(count)
        // The first byte is there; from now on the rest of its record is awaited.
        if !hasReceived, limits.firstByte != nil { watch(.idle) }
        hasReceived = true
      }
      return count
    } catch {
      throw ConnectionFailure(error)
    }
  }

  /// Throws away what the client has sent so far, without waiting; false when it will send no more.
  ///
  /// At most 64 KiB: a client that sends as fast as it is read does not keep the caller here.
  public mutating func discardInput() throws(ConnectionFailure) -> Bool {
    guard isSocket else { return true }
    return try withBuffer(1024) { (buffer) throws(ConnectionFailure) in
      for _ in 0..<Connection.discardsPerCall {
        do throws(SystemCallError) {
          let count = try input.receive(into: buffer, waiting: false)
          if count == 0 { return false }
          tally.received.pointee &+= UInt64(count)
        } catch {
          if error.code == .wouldBlock { return true }
          throw ConnectionFailure(error)
        }
      }
      return true
    }
  }

  /// Ends the client's time limit: the rest of what it waits for is the service's work.
  public mutating func stopClock() { unwatch() }

  private static let discardsPerCall = 64

  /// Sends all of the bytes, waiting for a slow client at most as long as the idle limit.
  public mutating func send(_ bytes: UnsafeRawBufferPointer) throws(ConnectionFailure) {
    var rest = bytes
    var mayWait = !isSocket
    var hasWaited = false
    while !rest.isEmpty {
      do throws(SystemCallError) {
        let count = try sendSome(rest, waiting: mayWait)
        tally.sent.pointee &+= UInt64(count)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } catch {
        guard error.code == .wouldBlock, !mayWait else { throw ConnectionFailure(error) }
        watch(.idle)
        mayWait = true
        hasWaited = true
      }
    }
    // A limit that went on would end a client that takes everything from now on.
    if hasWaited { unwatch() }
  }

  /// Sends an array.
  package mutating func send(_ bytes: [UInt8]) throws(ConnectionFailure) {
    let sent = bytes.withUnsafeBytes { bytes -> Result<Void, ConnectionFailure> in
      do throws(ConnectionFailure) { return .success(try send(bytes)) } catch { return .failure(error) }
    }
    try sent.get()
  }

  private func sendSome(_ bytes: UnsafeRawBufferPointer, waiting: Bool) throws(SystemCallError) -> Int {
    switch output {
    case .some(let output): try isSocket ? output.send(bytes, waiting: waiting) : output.writeRaw(bytes)
    case nil: try input.send(bytes, waiting: waiting)
    }
  }

  /// Ends the connection so that the reply arrives whole, even if the client has sent bytes that were not read: says
  /// that no more will come, then throws away what still arrives until the client closes: five seconds of waiting at most,
  /// a fifth of a second after `endSoon`, and 4 MiB at most, so that a client cannot keep the process busy.
  public mutating func finish() {
    guard isSocket else { return }
    unwatch()
    tally.waiting.pointee = Waiting.close.rawValue
    guard shutDownSending() else { return }
    let received = tally.received.pointee
    var left = lingering.time
    while left.tv_sec > 0 || left.tv_nsec > 0, input.waitForInput(&left) {
      guard let goesOn = try? discardInput(), goesOn else { return }
      guard tally.received.pointee &- received < Connection.mostDiscarded else { return }
    }
  }

  /// Bytes that are thrown away at the end.
  private static let mostDiscarded: UInt64 = 4 << 20

  /// Shortens `finish`: the service is being stopped.
  package mutating func endSoon() { lingering = .short }

  private func shutDownSending() -> Bool {
    do throws(SystemCallError) {
      switch output {
      case .some(let output): try output.shutDownSending()
      case nil: try input.shutDownSending()
      }
      return true
    } catch { return false }
  }

  /// Starts a limit's time.  What is waited for stands in the tally, for the listener, which finds the process dead.
  private mutating func watch(_ waiting: Waiting) {
    let limit = waiting == .firstByte ? limits.firstByte ?? limits.idle : limits.idle
    tally.waiting.pointee = (waiting == .firstByte && limits.firstByte == nil ? .idle : waiting).rawValue
    if let limit {
      Alarm.set(after: limit)
      isAlarmSet = true
    } else {
      unwatch()
    }
  }

  private mutating func unwatch() {
    guard isAlarmSet else { return }
    Alarm.cancel()
    isAlarmSet = false
  }
}

/// Why a connection ended before its service was done.
public enum ConnectionFailure: Error, Hashable, Sendable {
  /// The client is gone: no fault, and nothing to do.
  case clientClosed
  case call(SystemCallError)
  /// The program that serves it ended with this status, other than 0.
  case exited(UInt8)

  package init(_ error: SystemCallError) {
    self = error.code == .brokenPipe || error.code == .connectionReset ? .clientClosed : .call(error)
  }
}

/// Temporary memory, with a body that may throw its own kind of error.
///
/// Up to 1,024 bytes are on the stack without a question to the run-time library.
@inline(__always)
func withBuffer<Result, Failure: Error>(
  _ size: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
  let result = withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) {
    buffer -> Swift.Result<Result, Failure> in
    do throws(Failure) { return .success(try body(buffer)) } catch { return .failure(error) }
  }
  return try result.get()
}
