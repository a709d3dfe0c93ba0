/// The names that a path consists of.
extension UnixPath {
  /// The directory that contains the last name: `/` for a name in the root, `.` for a name alone.
  @_spi(Begat) public var parent: UnixPath {
    guard let slash = lastSlash else { return "." }
    return slash == 0 ? "/" : UnixPath(bytes: bytes[..<slash])
  }

  /// The part after the last slash.
  @_spi(Begat) public var lastName: UnixPath { lastSlash.map { UnixPath(bytes: bytes[($0 + 1)...]) } ?? self }

  /// Whether the path starts at the root.
  package var isAbsolute: Bool { bytes.first == UInt8(ascii: "/") }

  /// This directory's entry of that name.
  @_spi(Begat) public func entry(_ name: UnixPath) -> UnixPath {
    bytes.last == UInt8(ascii: "/") ? "\(self)\(name)" : "\(self)/\(name)"
  }

  /// A name for a file that is to replace the one with this name.  It cannot be guessed, so no other file can be there.
  package var temporaryName: UnixPath {
    ".\(beginning(upTo: 200)).\(String(UInt64.random(in: .min ... .max), radix: 16))"
  }

  /// The first bytes of a name, for names that are made from it: file systems take at most 255 bytes.
  ///
  /// A character of UTF-8 is kept whole or left out.
  func beginning(upTo maximum: Int) -> UnixPath {
    guard bytes.count > maximum else { return self }
    var end = maximum
    // A byte 10xxxxxx continues a character; there are at most three in one.
    while end > max(0, maximum - 3), bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return UnixPath(bytes: bytes[..<(bytes[end] & 0xc0 == 0x80 ? maximum : end)])
  }

  private var lastSlash: Int? { bytes.lastIndex(of: UInt8(ascii: "/")) }
}
