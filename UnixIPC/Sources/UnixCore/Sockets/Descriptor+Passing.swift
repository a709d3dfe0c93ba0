import CPlatform
import Glibc

/// Open files from one process to another, over a Unix socket.
///
/// Source: unix(7), SCM_RIGHTS.
extension Descriptor {
  /// The greatest number of descriptors that the kernel passes in one message (`SCM_MAX_FD`).
  public static let maxPassed = Int(PLATFORM_MOST_PASSED)

  /// Sends some of the bytes, the first of them with descriptors that the peer gets as descriptors of its own.
  ///
  /// They stay open here and may be closed as soon as this returns.
  ///
  ///     var files = DescriptorList()
  ///     try files.append(duplicateOf: log)
  ///     try channel.send("log", passing: files)
  ///
  /// - Parameter bytes: at least one: a stream carries descriptors only with a byte.
  /// - Parameter descriptors: at most ``maxPassed``.
  /// - Parameter waiting: whether to wait for room; else `EAGAIN` is thrown.
  /// - Returns: the number of bytes that were sent.  The rest, if any, is to be sent without the descriptors.
  /// - Throws: `EINVAL` for no byte, too many descriptors, or a socket that is no Unix socket; `ETOOMANYREFS` when too many
  ///   that this user passed are waiting for their receivers.
  ///
  /// Source: sendmsg(2).
  public func send(
    _ bytes: UnsafeRawBufferPointer, passing descriptors: borrowing DescriptorList, waiting: Bool = true
  ) throws(SystemCallError) -> Int { try send(bytes, passing: Array(descriptors.descriptorNumbers), waiting: waiting) }

  /// Sends some of the bytes, the first of them with descriptors that the peer gets as descriptors of its own.
  public func send(_ bytes: RawSpan, passing descriptors: borrowing DescriptorList, waiting: Bool = true)
    throws(SystemCallError) -> Int
  {
    let numbers = Array(descriptors.descriptorNumbers)
    return try bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in
      try send(bytes, passing: numbers, waiting: waiting)
    }
  }

  /// Sends some of the bytes, the first of them with one descriptor that the peer gets as a descriptor of its own.
  ///
  /// - Returns: the number of bytes that were sent.  The rest, if any, is to be sent without the descriptor.
  /// - Throws: as for a list of descriptors.
  ///
  /// Source: sendmsg(2).
  public func send(_ bytes: RawSpan, passing descriptor: borrowing Descriptor, waiting: Bool = true)
    throws(SystemCallError) -> Int
  {
    let passed = descriptor.number
    return try bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in
      try send(bytes, passing: [passed], waiting: waiting)
    }
  }

  /// Sends a text, with descriptors that the peer gets as descriptors of its own.
  ///
  /// - Returns: the number of bytes that were sent.  The rest, if any, is to be sent without the descriptors.
  /// - Throws: as for bytes.
  ///
  /// Source: sendmsg(2).
  @discardableResult
  public func send(_ text: String, passing descriptors: borrowing DescriptorList, waiting: Bool = true)
    throws(SystemCallError) -> Int
  { try send(text.utf8Span.span.bytes, passing: descriptors, waiting: waiting) }

  /// Sends a text, with one descriptor that the peer gets as a descriptor of its own.
  ///
  /// - Returns: the number of bytes that were sent.  The rest, if any, is to be sent without the descriptor.
  /// - Throws: as for bytes.
  ///
  /// Source: sendmsg(2).
  @discardableResult
  public func send(_ text: String, passing descriptor: borrowing Descriptor, waiting: Bool = true)
    throws(SystemCallError) -> Int
  { try send(text.utf8Span.span.bytes, passing: descriptor, waiting: waiting) }

  /// Sends descriptors by their numbers.
  ///
  /// - Throws: `EBADF` for a number that is not open.
  @_spi(Begat) public func send(_ bytes: UnsafeRawBufferPointer, passing numbers: [CInt], waiting: Bool = true)
    throws(SystemCallError) -> Int
  {
    guard !bytes.isEmpty || numbers.isEmpty else { throw failure("sendmsg", .invalidArgument) }
    return try check("sendmsg", onDescriptor: number) {
      platform_send_passing(
        number, bytes.baseAddress, bytes.count, numbers, numbers.count, waiting ? 0 : doNotWaitFlag)
    }
  }

  /// Receives what is there, with the descriptors that were passed with it, close-on-exec.
  ///
  /// On a stream, what was sent with descriptors and what was sent without come separately.  A plain `receive` drops
  /// descriptors that come with its bytes.
  ///
  /// - Parameter maxPassed: how many descriptors are welcome; 0 for none.
  /// - Parameter waiting: whether to wait for something; else `EAGAIN` is thrown.
  /// - Throws: `EMSGSIZE` when the peer passed more than `maxPassed`, `EMFILE` when this process has no room for them.
  ///   All that came are closed then; the bytes are lost too, so that a stream is of no use any more.
  ///
  /// Source: recvmsg(2).
  public func receive(
    into buffer: UnsafeMutableRawBufferPointer, maxPassed: Int, waiting: Bool = true
  ) throws(SystemCallError) -> ReceivedMessage {
    let most = min(max(0, maxPassed), Descriptor.maxPassed)
    var numbers = [CInt](repeating: -1, count: Descriptor.maxPassed)
    var passed = platform_passed()
    passed.most = CInt(most)
    let length = try check("recvmsg", onDescriptor: number) {
      numbers.withUnsafeMutableBufferPointer { room in
        passed.numbers = room.baseAddress
        return platform_receive_passed(
          number, buffer.baseAddress, buffer.count, waiting ? 0 : doNotWaitFlag, &passed)
      }
    }
    let descriptors = DescriptorList(owning: Array(numbers[..<Int(passed.count)]))
    if descriptors.count > most { throw failure("recvmsg", .messageTooLong) }
    if passed.control_cut {
      // Fewer than there was room for: it was not the peer who exceeded something.
      throw failure("recvmsg", descriptors.count < most ? .tooManyOpenFiles : .messageTooLong)
    }
    return ReceivedMessage(count: length, isTruncated: passed.bytes_cut, descriptors: descriptors)
  }

  /// Receives a message of at most `maxCount` bytes and the descriptors that were passed with it, after waiting for one.
  ///
  /// - Returns: no bytes at the end of a stream.
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when it is cancelled; else as
  ///   ``receive(into:maxPassed:waiting:)``.
  ///
  /// Source: recvmsg(2).
  public func receive(
    maxCount: Int, maxPassed: Int, until deadline: Deadline = .never,
    cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> PassedMessage {
    guard maxCount >= 0 else { throw failure("recvmsg", .invalidArgument) }
    var bytes: [UInt8] = []
    while true {
      do throws(SystemCallError) {
        var descriptors = DescriptorList()
        _ = try bytes.appendOnce(atMost: maxCount) { (room) throws(SystemCallError) in
          let message = try receive(into: room, maxPassed: maxPassed, waiting: false)
          descriptors = message.descriptors
          return message.count
        }
        return PassedMessage(bytes: bytes, descriptors: descriptors)
      } catch {
        guard error.code == .wouldBlock else { throw error }
        try self.await(.readable, until: deadline, cancelledBy: cancellation, for: "recvmsg")
      }
    }
  }
}

/// A message and the descriptors that were passed with it.
@frozen public struct PassedMessage: ~Copyable, Sendable {
  /// The bytes; none at the end of a stream.
  public let bytes: [UInt8]
  /// The descriptors that were passed, in the sender's order.
  public var descriptors: DescriptorList
}

/// What came into a buffer in one piece: bytes, and the descriptors that were passed with them.
@frozen public struct ReceivedMessage: ~Copyable, Sendable {
  /// The number of bytes in the buffer; 0 is the end of a stream.
  public let count: Int
  /// Whether a datagram was longer than the buffer; the rest is lost.
  public let isTruncated: Bool
  /// The descriptors that were passed, in the sender's order.
  public var descriptors: DescriptorList
}
