import CSharedLayouts
import Glibc
@_spi(Begat) import UnixCore

/// A peer's address in the fixed fields of slots and records.
public struct PeerFields {
  public typealias Bytes = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
  )

  public static let unix = UInt16(AF_UNIX)

  public var family: UInt16 = 0
  public var port: UInt16 = 0
  public var scope: UInt32 = 0
  public var bytes: Bytes = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

  /// For a Unix socket only the family is stored; clients are rarely bound to a name.
  public init(_ address: SocketAddress?) {
    switch address {
    case .ipv4(let host, let port):
      family = UInt16(AF_INET)
      self.port = port
      withUnsafeMutableBytes(of: &bytes) { $0.storeBytes(of: host.rawValue.bigEndian, as: UInt32.self) }
    case .ipv6(let host, let port, let scope):
      family = UInt16(AF_INET6)
      self.port = port
      self.scope = scope
      withUnsafeMutableBytes(of: &bytes) {
        $0.storeBytes(of: host.high.bigEndian, as: UInt64.self)
        $0.storeBytes(of: host.low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
    case .unixPath, .unixAbstract, .unixUnnamed: family = PeerFields.unix
    case nil: break
    }
  }

  init(_ record: begat_record) {
    family = record.family
    port = record.port
    scope = record.scope
    bytes = record.address
  }

  /// Those of a slot, which has no scope.
  public init(_ slot: begat_slot) {
    family = slot.family
    port = slot.port
    bytes = slot.address
  }

  public var address: SocketAddress? {
    withUnsafeBytes(of: bytes) { bytes -> SocketAddress? in
      switch CInt(family) {
      case AF_INET: .ipv4(IPv4Address(rawValue: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))), port: port)
      case AF_INET6:
        .ipv6(
          IPv6Address(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))), port: port, scope: scope)
      case AF_UNIX: .unixUnnamed
      default: nil
      }
    }
  }
}
