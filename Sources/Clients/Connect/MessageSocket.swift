@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// A socket that carries messages, and its peer.
final class MessageSocket {
  let socket: Descriptor
  /// The message that made its sender the peer.
  let first: [UInt8]?
  /// Whether the peer has a name to be answered at, and is there.
  let isAnswerable: Bool
  /// The only sender whose messages are delivered while messages of others may come; nil if all are delivered.
  private var sender: SocketAddress?

  init(
    _ socket: consuming Descriptor, first: [UInt8]? = nil, sender: SocketAddress? = nil, isAnswerable: Bool = true
  ) {
    self.socket = socket
    self.first = first
    self.sender = sender
    self.isAnswerable = isAnswerable
  }

  /// Receives the next message; never waits.
  ///
  /// - Returns: its length; nil if it is another sender's.
  /// - Throws: `EAGAIN` if none is there.
  func receive(into room: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int? {
    guard let sender else { return try socket.receive(into: room, waiting: false) }
    var origin = RawSocketAddress()
    do throws(SystemCallError) {
      let count = try socket.receive(into: room, from: &origin)
      return origin.address == sender ? count : nil
    } catch {
      // Others' messages had come before the socket was connected.
      if error.code == .wouldBlock, isAnswerable { self.sender = nil }
      throw error
    }
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
