import CPlatform
import Glibc

/// The two ends of a pipe: what is written to one is read from the other.
///
/// Each end is moved out on its own: `let input = ends.readEnd`.
///
/// Source: pipe(2), pipe(7).
@frozen public struct PipeEnds: ~Copyable, Sendable {
  /// The end that is read from; at its end of file when every descriptor of the write end is closed.
  public var readEnd: Descriptor
  /// The end that is written to.
  public var writeEnd: Descriptor

  /// Opens a pipe, close-on-exec.
  ///
  /// - Throws: `EMFILE` or `ENFILE` when there are no descriptors left.
  ///
  /// Source: pipe(2).
  public init() throws(SystemCallError) {
    var numbers: (CInt, CInt) = (-1, -1)
    _ = try check("pipe2") {
      withUnsafeMutableBytes(of: &numbers) { raw in
        platform_pipe2(raw.baseAddress?.assumingMemoryBound(to: CInt.self), O_CLOEXEC)
      }
    }
    readEnd = Descriptor(owning: numbers.0)
    writeEnd = Descriptor(owning: numbers.1)
  }

  /// Opens a pipe, close-on-exec, from which reading never waits; writing waits as usual, because each end is an open
  /// file of its own.
  @_spi(Begat) public static func readWithoutWaiting() throws(SystemCallError) -> PipeEnds {
    let pipe = try PipeEnds()
    let number = pipe.readEnd.number
    // A new pipe has no other flag that would be lost.
    _ = try check("fcntl", onDescriptor: number) { platform_fcntl(number, F_SETFL, O_NONBLOCK) }
    return pipe
  }
}
