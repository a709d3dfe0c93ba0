import Glibc
@_spi(Begat) import NameService
import NetworkServices
@_spi(Begat) import UnixCore

/// Waits for the one peer of `begat connect --listen`, and takes no other.
///
/// A request to end the command while it waits ends it, without the socket's file.
struct PeerListener {
  private let address: SocketAddress

  /// - Throws: a failure if the target's name has no address.
  init(_ target: ConnectionTarget, family: AddressFamily?) throws(Hosts.LookupError) {
    address = try target.addresses(family: family)[0]
  }

  /// The next connection; the address is given up then.
  func accept(announcing announce: (String) -> Void) throws -> ClientConnection {
    try waiting { cancellation in
      let connection = try next(ListeningSocket(address, backlog: 1), announce, cancellation)
      return ClientConnection(socket: connection.socket, address: connection.peer ?? address)
    }
  }

  /// A socket whose peer is the sender of the first message.
  func acceptMessages(_ kind: SocketKind, announcing announce: (String) -> Void) throws -> MessageSocket {
    try waiting { cancellation in try nextPeer(kind, announce, cancellation) }
  }

  private func nextPeer(
    _ kind: SocketKind, _ announce: (String) -> Void, _ cancellation: Cancellation
  ) throws(SystemCallError) -> MessageSocket {
    if kind == .sequencedPacket {
      let connection = try next(ListeningSocket(address, kind: kind, backlog: 1), announce, cancellation)
      return MessageSocket(connection.socket)
    }
    let socket = try DatagramSocket(address)
    announce(address.description)
    guard socket.descriptor.wait(for: .readable, until: .never, cancelledBy: cancellation) else {
      throw SystemCallError("poll", on: address.description, code: .canceled)
    }
    return try peer(of: socket)
  }

  private func next(
    _ listener: consuming ListeningSocket, _ announce: (String) -> Void, _ cancellation: Cancellation
  ) throws(SystemCallError) -> AcceptedConnection {
    announce(address.description)
    return try listener.accept(cancelledBy: cancellation)
  }

  /// Makes the sender of the datagram that waits the socket's peer.
  private func peer(of socket: consuming DatagramSocket) throws(SystemCallError) -> MessageSocket {
    var sender = DatagramSocket.Sender()
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: MessageExchange.longest, alignment: 16)
    defer { room.deallocate() }
    let first = Array(room[..<(try socket.receive(into: room, from: &sender))])
    guard let peer = sender.address, peer != .unixUnnamed else {
      return MessageSocket(socket.release(), first: first, isAnswerable: false)
    }
    var isThere = true
    do throws(SystemCallError) { try ClientSocket.connect(socket.descriptor, to: peer) } catch {
      // A Unix socket that is closed, or whose file is removed too: what it has sent is heard.
      guard error.code == .connectionRefused || error.code == .noSuchFileOrDirectory else { throw error }
      isThere = false
    }
    return MessageSocket(socket.release(), first: first, sender: peer, isAnswerable: isThere)
  }

  /// Removes the socket's file, if this process made it, on every way out.
  private func waiting<Result: ~Copyable>(_ body: (Cancellation) throws -> Result) throws -> Result {
    let isForeign = hasFile
    return try SignalQueue.with(.terminationRequests) { requests in
      let cancellation = try Cancellation(whenReadable: requests.descriptor)
      do {
        let result = try body(cancellation)
        removeFile()
        return result
      } catch {
        // That of another server is left alone.
        if !isForeign, (error as? SystemCallError)?.call != "bind" { removeFile() }
        if let request = requests.take() { _ = ProcessEnd.by(request.signal) }
        throw error
      }
    }
  }

  private var hasFile: Bool {
    guard case .unixPath(let path) = address, let text = path.text else { return false }
    return access(text, F_OK) == 0
  }

  private func removeFile() {
    if case .unixPath(let path) = address { _ = path.text.map { unlink($0) } }
  }
}
