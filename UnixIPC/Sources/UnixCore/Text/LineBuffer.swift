/// Splits a stream of bytes into lines of a bounded length.
///
/// A line ends with LF; a CR before it is dropped.  A line beyond the limit is discarded up to the next LF and reported as
/// too long, never cut: a part of it could mean something else.  Lines are untrusted: a peer sent them.
public struct LineBuffer: Sendable {
  /// A line that has ended.
  public enum Line: Hashable, Sendable {
    /// The line without its end.
    case complete(UntrustedBytes)
    /// The line was longer than the limit.
    case tooLong
  }

  private let limit: Int
  private var bytes: [UInt8] = []
  private var isOverlong = false

  /// An empty buffer.
  ///
  /// - Parameter limit: the longest line in bytes, without its end.
  public init(limit: Int) {
    self.limit = max(0, limit)
    // A bound is no wish: memory for lines of usual length, and more as it is needed.
    bytes.reserveCapacity(min(self.limit, 4096))
  }

  /// Whether a line has begun.
  public var isEmpty: Bool { bytes.isEmpty && !isOverlong }

  /// Takes the next byte; returns the line that it completes.
  public mutating func append(_ byte: UInt8) -> Line? {
    if byte == UInt8(ascii: "\n") {
      defer { clear() }
      LineEnd.removeReturn(from: &bytes)
      return isOverlong || bytes.count > limit ? .tooLong : .complete(UntrustedBytes(bytes))
    }
    // One more than the limit may be kept: it may turn out to be the CR of the line's end.
    if bytes.count > limit { isOverlong = true } else { bytes.append(byte) }
    return nil
  }

  /// Takes the last byte of the line back.
  public mutating func eraseByte() { if !isOverlong { _ = bytes.popLast() } }

  /// Forgets the line begun.
  public mutating func clear() {
    bytes.removeAll(keepingCapacity: true)
    isOverlong = false
  }
}
