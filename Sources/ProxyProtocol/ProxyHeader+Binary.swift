import UnixCore

extension ProxyHeader {
  /// The signature, a byte for version and command, one for family and transport, two for the length of the rest.
  static let fixedLength = 16

  /// Reads a header of version 2, of which the signature is known to be right.
  static func parseBinary(_ bytes: UnsafeRawBufferPointer) -> Answer {
    guard bytes.count > 12 else { return .incomplete }
    guard bytes[12] >> 4 == 2 else { return .invalid(.wrongVersion(bytes[12] >> 4)) }
    let command = bytes[12] & 15
    guard command <= 1 else { return .invalid(.unknownCommand(command)) }
    let isLocal = command == 0

    guard bytes.count > 13 else { return .incomplete }
    // A LOCAL connection's length must be skipped, and nothing else about it is looked at.
    guard isLocal || bytes[13] >> 4 <= 3 else { return .invalid(.unknownFamily(bytes[13] >> 4)) }
    guard isLocal || bytes[13] & 15 <= 2 else { return .invalid(.unknownTransport(bytes[13] & 15)) }

    guard bytes.count >= fixedLength else { return .incomplete }
    let length = fixedLength + Int(bytes.bigEndian(UInt16.self, at: 14))
    guard length <= maxLength else { return .invalid(.tooLong(length)) }
    let block = isLocal ? nil : addressBlock(bytes[13])
    if let block, length - fixedLength < block { return .invalid(.addressesTooShort(length - fixedLength, block)) }
    guard bytes.count >= length else { return .incomplete }

    // For an unspecified family or transport the rest has no defined format.
    guard let block else {
      return .header(ProxyHeader(length: length, version: 2, addresses: nil, extensions: 0..<0))
    }
    let header = ProxyHeader(
      length: length, version: 2, addresses: addresses(bytes, family: bytes[13]),
      extensions: (fixedLength + block)..<length)
    if let problem = ProxyExtension.problem(in: UnsafeRawBufferPointer(rebasing: bytes[..<length]), header.extensions) {
      return .invalid(problem)
    }
    return .header(header)
  }

  /// The length of both addresses; nil if family or transport are unspecified.
  private static func addressBlock(_ family: UInt8) -> Int? {
    guard family & 15 != 0 else { return nil }
    switch family >> 4 {
    case 1: return 2 * (4 + 2)
    case 2: return 2 * (16 + 2)
    case 3: return 2 * 108
    default: return nil
    }
  }

  /// TCP addresses; nil for other kinds, which do not fit.
  private static func addresses(_ bytes: UnsafeRawBufferPointer, family: UInt8) -> Addresses? {
    func port(_ place: Int) -> UInt16 { bytes.bigEndian(UInt16.self, at: place) }
    func ipv4(_ place: Int) -> IPv4Address { IPv4Address(rawValue: bytes.bigEndian(UInt32.self, at: place)) }
    func ipv6(_ place: Int) -> IPv6Address { IPv6Address(networkBytes: bytes, at: place) }

    let start = fixedLength
    switch family {
    case 0x11:
      return Addresses(
        source: .ipv4(ipv4(start), port: port(start + 8)), destination: .ipv4(ipv4(start + 4), port: port(start + 10)))
    case 0x21:
      return Addresses(
        source: .ipv6(ipv6(start), port: port(start + 32)),
        destination: .ipv6(ipv6(start + 16), port: port(start + 34)))
    default: return nil
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The number at a place, most significant byte first.
  func bigEndian<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, at place: Int) -> Number {
    Number(bigEndian: loadUnaligned(fromByteOffset: place, as: type))
  }
}

extension IPv6Address {
  /// The address at a place, in network byte order.
  init(networkBytes bytes: UnsafeRawBufferPointer, at place: Int) {
    self.init(high: bytes.bigEndian(UInt64.self, at: place), low: bytes.bigEndian(UInt64.self, at: place + 8))
  }
}
