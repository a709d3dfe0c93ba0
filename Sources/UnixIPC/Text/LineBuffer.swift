/// Cuts a stream of bytes into lines of a bounded length.
///
/// A line ends with LF; a CR before it is dropped.  What follows the bound is thrown away up to the next LF, and the
/// line is reported as too long instead of being cut, so that no part of it is taken for something it is not.  A line is
/// whatever somebody else sent: untrusted.
public struct LineBuffer: Sendable {
  public enum Line: Hashable, Sendable {
    case complete(UntrustedBytes)
    case tooLong
  }

  private let limit: Int
  private var bytes: [UInt8] = []
  private var isOverlong = false

  /// - Parameter limit: the longest line in bytes, without its end.
  public init(limit: Int) {
    self.limit = limit
    bytes.reserveCapacity(limit)
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
