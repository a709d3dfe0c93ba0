extension UInt8 {
  /// How many bytes the character of UTF-8 has that begins with this one; 0 for a byte that begins none.
  ///
  /// Source: RFC 3629 §4.
  @_spi(Begat) public var utf8Length: Int {
    switch self {
    case 0..<0x80: 1
    case 0xc2...0xdf: 2
    case 0xe0...0xef: 3
    case 0xf0...0xf4: 4
    default: 0
    }
  }
}
