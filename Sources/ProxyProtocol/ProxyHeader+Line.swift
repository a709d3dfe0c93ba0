import Glibc
import UnixCore

extension ProxyHeader {
  /// Reads a header of version 1, of which the first bytes are known to be right.
  static func parseLine(_ bytes: UnsafeRawBufferPointer) -> Answer {
    switch endOfLine(bytes) {
    case .incomplete: return .incomplete
    case .invalid(let problem): return .invalid(problem)
    case .found(let end):
      var fields = Fields(rest: bytes[lineStart.utf8CodeUnitCount..<end])
      let length = end + 2
      switch word(fields.next()) {
      // Anything may follow, and is ignored.
      case .unknown: return .header(ProxyHeader(length: length, version: 1, addresses: nil, extensions: 0..<0))
      case .tcp4: return header(length, fields, address: ipv4)
      case .tcp6: return header(length, fields, address: ipv6)
      case nil: return .invalid(.unknownProtocol)
      }
    }
  }

  private static func header(
    _ length: Int, _ fields: Fields, address: (Slice<UnsafeRawBufferPointer>, UInt16) -> SocketAddress?
  ) -> Answer {
    var fields = fields
    guard let sourceText = fields.next(), let destinationText = fields.next(), let sourcePort = fields.next(),
      let destinationPort = fields.last()
    else { return .invalid(.wrongFields) }
    guard let sourcePort = port(sourcePort), let destinationPort = port(destinationPort) else {
      return .invalid(.wrongPort)
    }
    guard let source = address(sourceText, sourcePort), let destination = address(destinationText, destinationPort)
    else { return .invalid(.wrongAddress) }
    return .header(
      ProxyHeader(
        length: length, version: 1, addresses: Addresses(source: source, destination: destination), extensions: 0..<0))
  }

  private enum LineEnd {
    case incomplete
    case invalid(ProxyProblem)
    case found(Int)
  }

  /// The place of the CR and LF that end the line.
  private static func endOfLine(_ bytes: UnsafeRawBufferPointer) -> LineEnd {
    for place in 0..<min(bytes.count, maxLineLength - 1) {
      if bytes[place] == UInt8(ascii: "\n") { return .invalid(.loneLineFeed) }
      guard bytes[place] == UInt8(ascii: "\r") else { continue }
      guard place + 1 < bytes.count else { return .incomplete }
      return bytes[place + 1] == UInt8(ascii: "\n") ? .found(place) : .invalid(.loneCarriageReturn)
    }
    return bytes.count < maxLineLength ? .incomplete : .invalid(.lineTooLong)
  }

  /// The words of a line, between single spaces.
  private struct Fields {
    var rest: Slice<UnsafeRawBufferPointer>

    /// The field before the next space or the end; nil for an empty one.
    mutating func next() -> Slice<UnsafeRawBufferPointer>? {
      let end = rest.firstIndex(of: UInt8(ascii: " ")) ?? rest.endIndex
      guard rest.startIndex < end else { return nil }
      let field = rest[rest.startIndex..<end]
      rest = rest[min(end + 1, rest.endIndex)...]
      return field
    }

    /// The last field of the line; nil if it is empty or more follow.
    mutating func last() -> Slice<UnsafeRawBufferPointer>? {
      guard !rest.contains(UInt8(ascii: " ")) else { return nil }
      return next()
    }
  }

  private enum Word { case unknown, tcp4, tcp6 }

  private static func word(_ field: Slice<UnsafeRawBufferPointer>?) -> Word? {
    guard let field else { return nil }
    if isEqual(field, "TCP4") { return .tcp4 }
    if isEqual(field, "TCP6") { return .tcp6 }
    return isEqual(field, "UNKNOWN") ? .unknown : nil
  }

  private static func isEqual(_ field: Slice<UnsafeRawBufferPointer>, _ text: StaticString) -> Bool {
    field.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Digits without a needless zero before them.
  private static func port(_ field: Slice<UnsafeRawBufferPointer>) -> UInt16? {
    guard field.count <= 5, field.count == 1 || field.first != UInt8(ascii: "0") else { return nil }
    var port: UInt32 = 0
    for byte in field {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      port = port * 10 + UInt32(byte - UInt8(ascii: "0"))
    }
    return UInt16(exactly: port)
  }

  private static func ipv4(_ field: Slice<UnsafeRawBufferPointer>, port: UInt16) -> SocketAddress? {
    var native = in_addr()
    guard read(field, AF_INET, into: &native) else { return nil }
    return .ipv4(IPv4Address(rawValue: UInt32(bigEndian: native.s_addr)), port: port)
  }

  private static func ipv6(_ field: Slice<UnsafeRawBufferPointer>, port: UInt16) -> SocketAddress? {
    var native = in6_addr()
    guard read(field, AF_INET6, into: &native) else { return nil }
    return withUnsafeBytes(of: native) { .ipv6(IPv6Address(networkBytes: $0, at: 0), port: port) }
  }

  /// The system's reader of addresses, which refuses leading zeros in IPv4 addresses.
  private static func read(
    _ field: Slice<UnsafeRawBufferPointer>, _ family: CInt, into native: UnsafeMutableRawPointer
  ) -> Bool {
    let room = Int(INET6_ADDRSTRLEN)
    // A NUL would end the text before its end.
    guard field.count < room, !field.contains(0) else { return false }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) { text in
      for (place, byte) in field.enumerated() { text[place] = CChar(bitPattern: byte) }
      text[field.count] = 0
      return inet_pton(family, text.baseAddress, native) == 1
    }
  }
}
