import CPlatform
import Glibc

/// Open files from one process to another, over a Unix socket.
///
/// Source: unix(7), SCM_RIGHTS.
extension Descriptor {
  /// What the kernel passes in one message (`SCM_MAX_FD`).
  public static let maximumPassed = Int(PLATFORM_MOST_PASSED)

  /// Sends some of the bytes, the first of them with descriptors that the peer gets as descriptors of its own.
  ///
  /// They stay open here and may be closed as soon as this returns.
  ///
  /// - Parameter bytes: at least one: a stream carries descriptors only with a byte.
  /// - Parameter numbers: at most `maximumPassed`.
  /// - Parameter waiting: whether to wait for room; else `EAGAIN` is thrown.
  /// - Returns: how many bytes were sent.  The rest, if any, is to be sent without the descriptors.
  /// - Throws: `EINVAL` for no byte, too many descriptors, or a socket that is no Unix socket; `EBADF` for a number that
  ///   is not open; `ETOOMANYREFS` when too many that this user passed are waiting for their receivers.
  ///
  /// Source: sendmsg(2).
  public func send(_ bytes: UnsafeRawBufferPointer, passing numbers: [CInt], waiting: Bool = true)
    throws(SystemCallError) -> Int
  {
    guard !bytes.isEmpty || numbers.isEmpty else { throw SystemCallError("sendmsg", code: .invalidArgument) }
    return try check("sendmsg") {
      platform_send_passing(
        number, bytes.baseAddress, bytes.count, numbers, numbers.count, waiting ? 0 : doNotWaitFlag)
    }
  }

  /// Receives what is there, with the descriptors that were passed with it, close-on-exec.
  ///
  /// On a stream, what was sent with descriptors and what was sent without come separately.  A plain `receive` drops
  /// descriptors that come with its bytes.
  ///
  /// - Parameter most: how many descriptors are welcome; 0 for none.
  /// - Parameter waiting: whether to wait for something; else `EAGAIN` is thrown.
  /// - Throws: `EMSGSIZE` when the peer passed more than `most`, `EMFILE` when this process has no room for them.  All
  ///   that came are closed then; the bytes are lost too, so that a stream is of no use any more.
  ///
  /// Source: recvmsg(2).
  public func receive(
    into buffer: UnsafeMutableRawBufferPointer, passedAtMost most: Int, waiting: Bool = true
  ) throws(SystemCallError) -> ReceivedMessage {
    let most = min(max(0, most), Descriptor.maximumPassed)
    var numbers = [CInt](repeating: -1, count: Descriptor.maximumPassed)
    var passed = platform_passed()
    passed.most = CInt(most)
    let length = try check("recvmsg") {
      numbers.withUnsafeMutableBufferPointer { room in
        passed.numbers = room.baseAddress
        return platform_receive_passed(
          number, buffer.baseAddress, buffer.count, waiting ? 0 : doNotWaitFlag, &passed)
      }
    }
    let descriptors = ReceivedDescriptors(owning: Array(numbers[..<Int(passed.count)]))
    if descriptors.count > most { throw SystemCallError("recvmsg", code: .messageTooLong) }
    if passed.control_cut {
      // Fewer than there was room for: it was not the peer who exceeded something.
      throw SystemCallError("recvmsg", code: descriptors.count < most ? .tooManyOpenFiles : .messageTooLong)
    }
    return ReceivedMessage(count: length, isTruncated: passed.bytes_cut, descriptors: descriptors)
  }
}
