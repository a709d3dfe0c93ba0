/// A TLV of a version 2 header: type, length and value (`PP2_TYPE_…`).
struct ProxyExtension {
  let type: UInt8
  /// The range of its value in the bytes.
  let value: Range<Int>

  /// A byte for the type, two for the length.
  static let headLength = 3

  /// The types that are known here, `PP2_TYPE_…` and `PP2_SUBTYPE_…`; others are skipped.
  enum Known {
    static let alpn: UInt8 = 0x01
    static let authority: UInt8 = 0x02
    static let checksum: UInt8 = 0x03
    static let uniqueID: UInt8 = 0x05
    static let tls: UInt8 = 0x20
    static let tlsVersion: UInt8 = 0x21
    static let tlsCommonName: UInt8 = 0x22
    static let tlsCipher: UInt8 = 0x23
    static let google: UInt8 = 0xe0
    static let amazon: UInt8 = 0xea
    static let azure: UInt8 = 0xee
  }

  /// In the value of `Known.tls`, a byte of flags and four for the result of the verification precede the parts.
  static let tlsHeadLength = 5
}

extension ProxyExtension {
  /// Iterates over the TLVs in a range of the bytes.
  struct Cursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var rest: Range<Int>
    /// The reason to stop before the end.
    private(set) var problem: ProxyProblem?

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
      self.bytes = bytes
      rest = range
    }

    mutating func next() -> ProxyExtension? {
      guard !rest.isEmpty, problem == nil else { return nil }
      let start = rest.lowerBound + headLength
      guard start <= rest.upperBound else {
        problem = .rest
        return nil
      }
      let type = bytes[rest.lowerBound]
      let end = start + Int(bytes.bigEndian(UInt16.self, at: rest.lowerBound + 1))
      guard end <= rest.upperBound else {
        problem = .overrun(type)
        return nil
      }
      rest = end..<rest.upperBound
      return ProxyExtension(type: type, value: start..<end)
    }
  }

  /// The first fault in the TLVs of a header, including their checksum.
  ///
  /// - Parameter header: all its bytes, and no others.
  static func problem(in header: UnsafeRawBufferPointer, _ range: Range<Int>) -> ProxyProblem? {
    var cursor = Cursor(header, range)
    var isVerified = false
    while let part = cursor.next() {
      switch part.type {
      case Known.checksum:
        // Verifying costs a look at the whole header.
        guard !isVerified else { return .secondChecksum }
        guard part.hasRightChecksum(header) else { return .wrongChecksum }
        isVerified = true
      case Known.tls:
        guard part.value.count >= tlsHeadLength else { return .overrun(part.type) }
        var parts = Cursor(header, part.value.dropFirst(tlsHeadLength))
        while parts.next() != nil {}
        if let problem = parts.problem { return problem }
      default: break
      }
    }
    return cursor.problem
  }

  private func hasRightChecksum(_ header: UnsafeRawBufferPointer) -> Bool {
    value.count == 4
      && header.bigEndian(UInt32.self, at: value.lowerBound) == castagnoliChecksum(header, zeroing: value)
  }
}

/// CRC32C of the bytes; those in `zeros` count as 0.
///
/// Bit by bit, without a table: a header is short, and few senders add a checksum.
///
/// Source: RFC 4960 appendix B.
func castagnoliChecksum(_ bytes: UnsafeRawBufferPointer, zeroing zeros: Range<Int>) -> UInt32 {
  var checksum = ~UInt32(0)
  for place in 0..<bytes.count {
    checksum ^= zeros.contains(place) ? 0 : UInt32(bytes[place])
    for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 0 ? 0 : 0x82f6_3b78) }
  }
  return ~checksum
}
