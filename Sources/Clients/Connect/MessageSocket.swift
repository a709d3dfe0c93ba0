@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// A socket that carries messages, and its peer.
final class MessageSocket {
  let socket: Descriptor
  /// The messages that came before the socket was the peer's alone.
  let received: [[UInt8]]
  /// Whether the peer has a name to be answered at.
  let isAnswerable: Bool

  init(_ socket: consuming Descriptor, received: [[UInt8]] = [], isAnswerable: Bool = true) {
    self.socket = socket
    self.received = received
    self.isAnswerable = isAnswerable
  }

  /// Connects to the first address that can be connected to: connect(2) does not show whether a peer receives datagrams.
  ///
  /// Source: connect(2), unix(7).
  static func connect(to target: ConnectionTarget, kind: SocketKind, family: AddressFamily?) throws -> MessageSocket {
    let addresses = try target.addresses(family: family)
    var failures: [SystemCallError] = []
    for address in addresses {
      do throws(SystemCallError) {
        return MessageSocket(try ClientSocket.start(to: try RawSocketAddress(address), kind: kind))
      } catch { failures.append(error) }
    }
    throw ConnectionTarget.ConnectError.unreachable(ConnectionError(failures: failures))
  }
}
