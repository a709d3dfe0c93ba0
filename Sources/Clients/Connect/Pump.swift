import Glibc
import UnixIPC

/// Carries bytes between a connection and a pair of an input and an output, both directions at once, until the peer ends.
///
/// The end of the input is passed on by shutdown(2), and receiving goes on.  A reader that stops on either side stops
/// the direction towards itself and not the other.  SIGPIPE must be ignored.
///
/// Source: poll(2), shutdown(2).
struct Pump: ~Copyable {
  enum Side: Sendable {
    case input, output, connection
  }

  /// What a side answered to reading or writing.
  struct Failure: Error {
    let side: Side
    let errno: Errno
  }

  private var sending = ByteFlow()
  private var receiving = ByteFlow()
  private var hasShutDown: Bool
  private var sendFailure: Errno?

  /// - Parameter receivesOnly: the input is never read, nor its end passed on.
  init(receivesOnly: Bool = false) {
    hasShutDown = receivesOnly
    if receivesOnly { sending.abandon() }
  }

  /// Runs until the peer has ended and the output has all it sent.
  mutating func run(
    input: borrowing Descriptor, output: borrowing PatientOutput, connection: borrowing Descriptor
  ) throws(Failure) {
    while !(receiving.hasEnded && receiving.isEmpty) {
      let ready = wait(input: input.number, output: output.number, connection: connection.number)
      if ready.input { try fillFromInput(input) }
      if ready.connection { try exchange(with: connection) }
      if ready.output { try drain(into: output) }
      if sending.hasEnded, sending.isEmpty, !hasShutDown {
        hasShutDown = true
        // It fails where the connection is gone, which receiving tells as well.
        try? connection.shutDownSending()
      }
    }
    if let sendFailure { throw Failure(side: .connection, errno: sendFailure) }
  }

  /// Waits for whatever could be carried on.  A side with nothing to do is left out: its hang-up would wake us for ever.
  private func wait(
    input: CInt, output: CInt, connection: CInt
  ) -> (input: Bool, connection: Bool, output: Bool) {
    let exchange = (receiving.wantsMore ? POLLIN : 0) | (sending.isEmpty ? 0 : POLLOUT)
    let write = receiving.isEmpty ? 0 : POLLOUT
    var queries = (
      pollfd(fd: sending.wantsMore ? input : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: exchange == 0 ? -1 : connection, events: Int16(exchange), revents: 0),
      // With nothing to write as well: a reader that goes away is an error, which comes unasked.
      pollfd(fd: output, events: Int16(write), revents: 0)
    )
    withUnsafeMutableBytes(of: &queries) { bytes in
      // After a signal nothing is marked as ready, and the caller waits again.
      _ = poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 3, -1)
    }
    return (queries.0.revents != 0, queries.1.revents != 0, queries.2.revents != 0)
  }

  private mutating func fillFromInput(_ input: borrowing Descriptor) throws(Failure) {
    do throws(Errno) {
      try sending.fill { (buffer) throws(Errno) in try input.read(into: buffer) }
    } catch { throw Failure(side: .input, errno: error) }
  }

  private mutating func exchange(with connection: borrowing Descriptor) throws(Failure) {
    do throws(Errno) {
      try receiving.fill { (buffer) throws(Errno) in try connection.receive(into: buffer, waiting: false) }
    } catch { throw Failure(side: .connection, errno: error) }
    do throws(Errno) {
      try sending.drain { (bytes) throws(Errno) in try connection.send(bytes, waiting: false) }
    } catch {
      // What the peer had sent before it went away is still to be received.
      sendFailure = error
      sending.abandon()
      hasShutDown = true
    }
  }

  private mutating func drain(into output: borrowing PatientOutput) throws(Failure) {
    // Nothing to write, and yet awake: the reader went away.
    if receiving.isEmpty { throw Failure(side: .output, errno: .brokenPipe) }
    do throws(Errno) {
      try receiving.drain { (bytes) throws(Errno) in try output.write(bytes) }
    } catch { throw Failure(side: .output, errno: error) }
  }
}
