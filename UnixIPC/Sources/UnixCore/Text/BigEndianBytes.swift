extension FixedWidthInteger {
  /// Reads a number from its bytes, the most significant one first, as network protocols have them: `unpack("N", …)` of
  /// Perl for `UInt32`, and `unpack("n", …)` for `UInt16`.
  ///
  ///     let seconds = UInt32(bigEndianBytes: answer.bytes)
  ///
  /// - Parameter bytes: as many as the type has, else the result is nil.
  public init?(bigEndianBytes bytes: some Collection<UInt8>) {
    guard bytes.count == Self.bitWidth / 8 else { return nil }
    self = 0
    for byte in bytes {
      // A type of one byte would lose all its bits by a shift, and stays 0.
      self = Self.bitWidth > 8 ? self << 8 : 0
      self |= Self(truncatingIfNeeded: byte)
    }
  }

  /// The bytes of the number, the most significant one first: `pack("N", …)` of Perl for `UInt32`.
  public var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian, Array.init) }
}
