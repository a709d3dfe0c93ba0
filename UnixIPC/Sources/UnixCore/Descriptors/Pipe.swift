import CPlatform
import Glibc

/// The two ends of a pipe or of a socket pair, each to be moved out on its own.
@frozen public struct PipeEnds: ~Copyable {
  public var reading: Descriptor
  public var writing: Descriptor
}

/// What is written to one end is read from the other.
///
/// Source: pipe(2), pipe(7).
public enum Pipe {
  public static func open() throws(SystemCallError) -> PipeEnds {
    var numbers: (CInt, CInt) = (-1, -1)
    _ = try check("pipe2") {
      withUnsafeMutableBytes(of: &numbers) { raw in
        platform_pipe2(raw.baseAddress?.assumingMemoryBound(to: CInt.self), O_CLOEXEC)
      }
    }
    return PipeEnds(reading: Descriptor(owning: numbers.0), writing: Descriptor(owning: numbers.1))
  }
}
