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

  /// The fields of the proxy that named the client of a record.
  init(viaOf record: begat_record) {
    family = record.via_family
    port = record.via_port
    scope = record.via_scope
    bytes = record.via_address
  }

  /// The fields of a slot, which has no scope.
  public init(_ slot: begat_slot) {
    family = slot.family
    port = slot.port
    bytes = slot.address
  }

  /// The fields of the proxy that named the client of a slot.
  public init(viaOf slot: begat_slot) {
    family = slot.via_family
    port = slot.via_port
    bytes = slot.via_address
  }

  /// The address; nil where there is none.
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

extension begat_slot {
  /// A slot of a connection that begins.
  ///
  /// - Parameter via: the proxy that has named the client; no address if the client connected directly.
  /// - Parameter started: CLOCK_MONOTONIC, nanoseconds.
  /// - Parameter received: bytes received so far; `ConnectionRecord.unknownCount` if a program does not count them.
  /// - Parameter sent: as `received`.
  public init(
    process: Int32, waiting: UInt32 = 0, peer: PeerFields, via: PeerFields = PeerFields(nil), user: UInt32 = 0,
    started: Int64, received: UInt64 = 0, sent: UInt64 = 0
  ) {
    self.init(
      pid: process, waiting: waiting, bytes_received: received, bytes_sent: sent, started: started,
      family: peer.family, port: peer.port, uid: user, address: peer.bytes, ended: 0, via_family: via.family,
      via_port: via.port, via_reserved: 0, via_address: via.bytes, reserved: (0, 0, 0, 0, 0))
  }
}
