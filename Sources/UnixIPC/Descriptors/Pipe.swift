import CPlatform
import Glibc

/// The two ends of a pipe: what is written to `writing` is read from `reading`.
///
/// Source: pipe(2), pipe(7).
public struct Pipe: ~Copyable {
  public let reading: Descriptor
  public let writing: Descriptor

  public init() throws(CallFailure) {
    var numbers: (CInt, CInt) = (-1, -1)
    _ = try check("pipe2") {
      withUnsafeMutableBytes(of: &numbers) { raw in
        platform_pipe2(raw.baseAddress?.assumingMemoryBound(to: CInt.self), O_CLOEXEC)
      }
    }
    reading = Descriptor(owning: numbers.0)
    writing = Descriptor(owning: numbers.1)
  }

  /// Both ends, each with an owner of its own from now on.
  public consuming func ends() -> PipeEnds { PipeEnds(reading: reading, writing: writing) }
}

/// The two ends of a pipe, ready to be moved out one by one.
public struct PipeEnds: ~Copyable {
  public var reading: Descriptor
  public var writing: Descriptor
}
