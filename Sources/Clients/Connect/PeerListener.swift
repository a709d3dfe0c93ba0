import Glibc
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// Waits for the one peer of `begat connect --listen`, and takes no other.
struct PeerListener {
  private let address: SocketAddress

  /// - Throws: what the target's name has no address for.
  init(_ target: ConnectionTarget, family: AddressFamily?) throws(Hosts.LookupError) {
    address = try target.addresses(family: family).first ?? .unixUnnamed
  }

  /// The next connection; the address is given up then.
  func accept(announcing announce: (String) -> Void) throws(SystemCallError) -> ClientConnection {
    let listener = try ListeningSocket(address, backlog: 1)
    defer { removeFile() }
    announce(address.description)
    let accepted = try listener.accept()
    return ClientConnection(socket: accepted.socket, address: accepted.peer ?? address)
  }

  /// A socket whose peer is the sender of the first message, which is left in it.
  func acceptMessages(_ kind: SocketKind, announcing announce: (String) -> Void) throws(SystemCallError) -> Descriptor {
    let socket = try Descriptor.bound(to: address, kind: kind)
    defer { removeFile() }
    let number = socket.number
    if kind == .sequencedPacket, Glibc.listen(number, 1) == -1 {
      throw SystemCallError("listen", on: address.description, code: ErrorCode(rawValue: errno))
    }
    announce(address.description)
    guard socket.wait(for: .readable, until: .never) else {
      throw SystemCallError("poll", on: address.description, code: .timedOut)
    }
    if kind == .sequencedPacket {
      let accepted = try ListeningSocket(adopting: socket).accept()
      return accepted.socket
    }
    // One without a name, of a Unix socket, cannot be answered.
    if let peer = try Self.nextSender(at: socket), peer != .unixUnnamed { try ClientSocket.connect(socket, to: peer) }
    return socket
  }

  /// The sender of the datagram that waits, which is left there.
  private static func nextSender(at socket: borrowing Descriptor) throws(SystemCallError) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let number = socket.number
    return try withUnsafeMutablePointer(to: &storage) { storage throws(SystemCallError) -> SocketAddress? in
      let pointer = UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      guard recvfrom(number, nil, 0, CInt(MSG_PEEK), pointer, &length) >= 0 else {
        throw SystemCallError("recvfrom", on: "the first datagram", code: ErrorCode(rawValue: errno))
      }
      return RawSocketAddress(pointer, length: length).address
    }
  }

  private func removeFile() {
    if case .unixPath(let path) = address { _ = path.text.map { unlink($0) } }
  }
}
