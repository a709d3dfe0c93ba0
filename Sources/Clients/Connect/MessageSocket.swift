import Glibc
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// Sockets that carry messages, with their peer.
enum MessageSocket {
  /// Connects to the first address that can be connected to: of a datagram no answer tells.
  ///
  /// Source: connect(2), unix(7).
  static func connect(to target: ConnectionTarget, kind: SocketKind, family: AddressFamily?) throws -> Descriptor {
    let addresses = try target.addresses(family: family)
    var failures: [SystemCallError] = []
    for address in addresses {
      do throws(SystemCallError) { return try connect(to: address, kind: kind) } catch { failures.append(error) }
    }
    throw ConnectionTarget.ConnectError.unreachable(ConnectionError(failures: failures))
  }

  private static func connect(to address: SocketAddress, kind: SocketKind) throws(SystemCallError) -> Descriptor {
    let family = try RawSocketAddress(address).family
    let socket = try Descriptor.socket(family: family, kind: kind)
    if kind == .datagram, address.isUnix {
      // Without a name of its own it cannot be answered; the kernel gives it one.
      let name = try RawSocketAddress(.unixUnnamed)
      let number = socket.number
      guard name.withPointer({ Glibc.bind(number, $0, $1) }) == 0 else {
        throw SystemCallError("bind", on: "a Unix socket", code: ErrorCode(rawValue: errno))
      }
    }
    try ClientSocket.connect(socket, to: address)
    return socket
  }
}
