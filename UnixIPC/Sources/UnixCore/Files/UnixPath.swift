/// A path of a file: any bytes, as the kernel has them, whether or not they are UTF-8.
///
/// A literal is a path, and so is a literal with paths, texts and numbers in it, which keeps their bytes:
///
///     let log: UnixPath = "/var/log/\(name)/\(number)"
///
/// A NUL cannot be part of a file's name.  A path that contains one is a value like any other, but every call that
/// takes it fails with `EINVAL` before anything is done.
///
/// Source: path_resolution(7).
public struct UnixPath: Hashable, Sendable {
  /// The bytes of the path, without a NUL at the end.
  public let bytes: [UInt8]

  /// The path whose bytes are the text's UTF-8.
  public init(_ text: String) { bytes = Array(text.utf8) }

  /// The path of these bytes.
  public init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  /// The path as text; nil if it is not valid UTF-8.
  public var text: String? { String(validating: bytes, as: UTF8.self) }
}

extension UnixPath: CustomStringConvertible {
  /// The path as one line for a log or a terminal: as it is if it is UTF-8 without control characters and backslashes,
  /// and else escaped as ``UntrustedBytes/escaped`` does.
  public var description: String {
    guard let text, text.isPlain, !bytes.contains(UInt8(ascii: "\\")) else { return escaped(bytes) }
    return text
  }
}

extension UnixPath: ExpressibleByStringInterpolation {
  /// The path whose bytes are the literal's UTF-8.
  public init(stringLiteral text: String) { self.init(text) }

  /// The path that a literal with interpolations has built.
  public init(stringInterpolation: StringInterpolation) { bytes = stringInterpolation.bytes }

  /// Builds a path from a literal: the bytes of paths, texts and numbers, unchanged.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var bytes: [UInt8] = []

    /// An empty path with room for the literal.
    public init(literalCapacity: Int, interpolationCount: Int) {
      bytes.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    /// Appends a part of the literal.
    public mutating func appendLiteral(_ text: String) { bytes += text.utf8 }

    /// Appends the bytes of a path.
    public mutating func appendInterpolation(_ path: UnixPath) { bytes += path.bytes }

    /// Appends a text as UTF-8.
    public mutating func appendInterpolation(_ text: some StringProtocol) { bytes += text.utf8 }

    /// Appends a number in decimal.
    public mutating func appendInterpolation(_ number: some BinaryInteger) { bytes += String(number).utf8 }
  }
}
