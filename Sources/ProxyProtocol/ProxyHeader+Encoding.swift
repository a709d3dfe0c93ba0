import UnixCore

extension ProxyHeader {
  /// A TLV to be sent.
  public struct Extension: Hashable, Sendable {
    /// The type, `PP2_TYPE_…` of HAProxy's doc/proxy-protocol.txt.
    public let type: UInt8
    /// At most 65,535 bytes.
    public let value: [UInt8]

    public init(type: UInt8, value: [UInt8]) {
      self.type = type
      self.value = value
    }
  }

  /// The line of version 1.
  ///
  /// - Parameter addresses: of one family, else the IPv4 one is mapped; nil, or Unix sockets: `UNKNOWN`.
  public static func line(_ addresses: Addresses?) -> [UInt8] {
    guard let ends = addresses.flatMap(Ends.init) else { return Array("PROXY UNKNOWN\r\n".utf8) }
    let hosts =
      switch ends.hosts {
      case .ipv4(let source, let destination): "TCP4 \(source) \(destination)"
      case .ipv6(let source, let destination): "TCP6 \(source) \(destination)"
      }
    return Array("PROXY \(hosts) \(ends.sourcePort) \(ends.destinationPort)\r\n".utf8)
  }

  /// The bytes of version 2.
  ///
  /// - Parameter addresses: of one family, else the IPv4 one is mapped; Unix sockets: the family is unspecified.  Nil for
  ///   a connection without a client (`LOCAL`).
  /// - Parameter extensions: the TLVs that follow the addresses.
  /// - Parameter hasChecksum: whether a checksum (CRC32C) ends the header.
  public static func binary(
    _ addresses: Addresses?, extensions: [Extension] = [], hasChecksum: Bool = false
  ) -> [UInt8] {
    let ends = addresses.flatMap(Ends.init)
    var rest = ends?.bytes ?? []
    for part in extensions { rest += [part.type] + UInt16(part.value.count).bigEndianBytes + part.value }
    if hasChecksum { rest += [ProxyExtension.Known.checksum, 0, 4, 0, 0, 0, 0] }

    var header = signature.withUTF8Buffer { Array($0) }
    header.append(addresses == nil ? 0x20 : 0x21)
    header.append(ends?.familyAndTransport ?? 0)
    header += UInt16(rest.count).bigEndianBytes + rest
    if hasChecksum {
      let field = (header.count - 4)..<header.count
      let checksum = header.withUnsafeBytes { castagnoliChecksum($0, zeroing: field) }
      header.replaceSubrange(field, with: checksum.bigEndianBytes)
    }
    return header
  }
}

/// Two internet addresses of one family.
private struct Ends {
  enum Hosts {
    case ipv4(IPv4Address, IPv4Address)
    case ipv6(IPv6Address, IPv6Address)
  }

  let hosts: Hosts
  let sourcePort: UInt16
  let destinationPort: UInt16

  init?(_ addresses: ProxyHeader.Addresses) {
    guard let sourcePort = addresses.source.port, let destinationPort = addresses.destination.port else { return nil }
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    switch (addresses.source, addresses.destination) {
    case (.ipv4(let source, _), .ipv4(let destination, _)): hosts = .ipv4(source, destination)
    case (.ipv4(let source, _), .ipv6(let destination, _, _)): hosts = .ipv6(source.mapped, destination)
    case (.ipv6(let source, _, _), .ipv4(let destination, _)): hosts = .ipv6(source, destination.mapped)
    case (.ipv6(let source, _, _), .ipv6(let destination, _, _)): hosts = .ipv6(source, destination)
    default: return nil
    }
  }

  /// TCP over one of the families.
  var familyAndTransport: UInt8 {
    switch hosts {
    case .ipv4: 0x11
    case .ipv6: 0x21
    }
  }

  var bytes: [UInt8] {
    let hosts =
      switch hosts {
      case .ipv4(let source, let destination): source.rawValue.bigEndianBytes + destination.rawValue.bigEndianBytes
      case .ipv6(let source, let destination): source.bytes + destination.bytes
      }
    return hosts + sourcePort.bigEndianBytes + destinationPort.bigEndianBytes
  }
}

extension IPv4Address {
  /// The IPv6 address that stands for it if the other one is of that family.
  fileprivate var mapped: IPv6Address { IPv6Address(high: 0, low: 0xffff << 32 | UInt64(rawValue)) }
}

extension IPv6Address {
  fileprivate var bytes: [UInt8] { high.bigEndianBytes + low.bigEndianBytes }
}
