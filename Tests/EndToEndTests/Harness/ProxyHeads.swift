@_spi(Begat) import UnixCore

/// Headers of the PROXY protocol, made here from HAProxy's doc/proxy-protocol.txt and not from begat's code.
enum ProxyHead {
  /// The line of version 1 for a client of these addresses.
  static func line(
    _ source: String, _ port: Int = 51312, to destination: String? = nil, _ destinationPort: Int = 7
  ) -> [UInt8] {
    let isIPv6 = source.contains(":")
    let destination = destination ?? (isIPv6 ? "2001:db8::1" : "198.51.100.1")
    return Array("PROXY TCP\(isIPv6 ? 6 : 4) \(source) \(destination) \(port) \(destinationPort)\r\n".utf8)
  }

  static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]

  /// A header of version 2, byte by byte as given; the length is that of the rest unless another one is stated.
  static func binary(
    _ versionAndCommand: UInt8 = 0x21, _ family: UInt8 = 0x11, _ rest: [UInt8], length: Int? = nil
  ) -> [UInt8] {
    var header = signature
    header += [versionAndCommand, family]
    header += number(length ?? rest.count)
    return header + rest
  }

  /// The header of version 2 for a client of these IPv4 addresses.
  static func binary(
    _ source: String, _ port: Int = 51312, to destination: String = "198.51.100.1", _ destinationPort: Int = 7,
    extensions: [(UInt8, [UInt8])] = []
  ) -> [UInt8] {
    var rest = bytes(source) + bytes(destination)
    rest += number(port)
    rest += number(destinationPort)
    for (type, value) in extensions { rest += part(type, value) }
    return binary(0x21, 0x11, rest)
  }

  /// The header of version 2 for a client of these IPv6 addresses: of each, the last byte is given, in 2001:db8::/32.
  static func binary6(_ source: UInt8, _ port: Int = 51312) -> [UInt8] {
    func address(_ last: UInt8) -> [UInt8] { [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [last] }
    let ports = number(port) + number(7)
    return binary(0x21, 0x21, address(source) + address(1) + ports)
  }

  /// HAProxy's check of a server.
  static let local = binary(0x20, 0x00, [])

  /// An extension.
  static func part(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [type] + number(value.count) + value }

  private static func number(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 0xff), UInt8(number & 0xff)] }
  private static func bytes(_ address: String) -> [UInt8] { address.split(separator: ".").compactMap { UInt8($0) } }
}

extension Client {
  /// A client that a proxy brings: the header has been sent.
  convenience init(_ address: String, behind header: [UInt8], from proxy: String? = nil) throws {
    try self.init(address, from: proxy)
    try send(header)
  }
}
