import Glibc
@_spi(Begat) import UnixCore

/// What commands print, on its way to standard output, and no more than a number of bytes of it.
///
/// SIGPIPE must be ignored.
final class BoundedCopy {
  private var flow = ByteFlow(capacity: 1 << 17)
  private var source: Descriptor?
  private let output: NonBlockingOutput
  private var left: Int
  /// Whether there was more than may be copied.
  private(set) var isExceeded = false
  /// Why the output took no more.  That its reader has left is no failure, unless SIGPIPE was ignored: then nothing else
  /// would tell.
  private(set) var failure: SystemCallError?

  init(_ source: consuming Descriptor, atMost limit: Int) throws(SystemCallError) {
    self.source = consume source
    output = try NonBlockingOutput(for: .output)
    left = limit
  }

  var isDone: Bool { flow.hasEnded && flow.isEmpty }

  /// To be polled for reading; -1 where nothing is wanted.
  var inputNumber: CInt {
    switch source {
    case .some(let source) where flow.wantsMore: source.number
    default: -1
    }
  }

  /// To be polled for writing.
  var outputNumber: CInt { flow.isEmpty ? -1 : output.number }

  func fill() throws(SystemCallError) {
    guard inputNumber != -1 else { return }
    do throws(SystemCallError) {
      try Descriptor.withBorrowed(inputNumber) { (source) throws(SystemCallError) in
        try flow.fill { (buffer) throws(SystemCallError) in
          // At the limit, one byte more tells whether there is more.
          let room = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(max(1, left)))
          let count = try source.read(into: room)
          isExceeded = left == 0 && count > 0
          left -= isExceeded ? 0 : count
          return isExceeded ? 0 : count
        }
      }
    } catch { throw SystemCallError("read", on: "the command's output", code: error.code) }
  }

  func drain() {
    do throws(SystemCallError) { try flow.drain { (bytes) throws(SystemCallError) in try output.write(bytes) } } catch {
      if error.code != .brokenPipe || StartSignals.ignored.contains(.brokenPipe) { failure = error }
      abandon()
    }
  }

  /// Closes the pipe: SIGPIPE ends a process that writes into it, unless it ignores the signal.
  func abandon() {
    flow.abandon()
    source = nil
  }
}
