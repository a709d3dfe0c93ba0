import Glibc

extension Descriptor {
  /// Whether clients of a listening TCP socket have sent their SYN and are not in the backlog yet: the server's SYN-ACK,
  /// or the client's answer to it, is on the way.
  ///
  /// Clients of another socket with the same port count too.
  ///
  /// - Returns: false for another kind of socket, and where the kernel does not say: without its module `tcp_diag`, or in
  ///   a process that may not open netlink sockets.
  ///
  /// Source: sock_diag(7).
  @_spi(Begat) public var hasHandshakes: Bool {
    guard socketKind == .stream, let address = try? localAddress(), let port = address.address?.port else {
      return false
    }
    let family = address.family == .ipv6 ? AF_INET6 : AF_INET
    return SocketDiagnosis.withAnswer(
      roomFor: 1024, request: { TCPDiagnosis.writeRequest(family: family, port: port, to: $0) },
      TCPDiagnosis.namesSocket) ?? false
  }
}

/// A question to the kernel about sockets, over a netlink socket.
///
/// Source: sock_diag(7), netlink(7).
enum SocketDiagnosis {
  private static let protocolNumber: CInt = 4  // NETLINK_SOCK_DIAG
  static let byFamily: UInt16 = 20  // SOCK_DIAG_BY_FAMILY
  static let isRequest: UInt16 = 1  // NLM_F_REQUEST

  /// Asks, and shows the first part of the answer.
  ///
  /// - Parameter writeRequest: writes the question and returns its size.
  /// - Returns: nil where the kernel does not answer.
  static func withAnswer<Result>(
    roomFor size: Int, request writeRequest: (UnsafeMutableRawBufferPointer) -> Int,
    _ body: (UnsafeRawBufferPointer) -> Result?
  ) -> Result? {
    let netlink = Glibc.socket(AF_NETLINK, SocketKind.datagram.rawValue | closeOnExecFlag, protocolNumber)
    guard netlink >= 0 else { return nil }
    let inquiry = Descriptor(owning: netlink)
    return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { room in
      room.initializeMemory(as: UInt8.self, repeating: 0)
      let size = writeRequest(room)
      guard Glibc.send(inquiry.number, room.baseAddress, size, 0) == size else { return nil }
      // The kernel has answered before send(2) returns.
      let count = Glibc.recv(inquiry.number, room.baseAddress, room.count, doNotWaitFlag)
      guard count > 0 else { return nil }
      return body(UnsafeRawBufferPointer(rebasing: room[..<count]))
    }
  }
}

/// The question for all sockets of a port that are in their handshake, as in linux/netlink.h and linux/inet_diag.h.
private enum TCPDiagnosis {
  private static let wantsAll: UInt16 = 0x300  // NLM_F_DUMP
  private static let inHandshake: UInt32 = 1 << 3 | 1 << 12  // TCP_SYN_RECV, TCP_NEW_SYN_RECV
  private static let requestSize = 72

  static func writeRequest(family: CInt, port: UInt16, to room: UnsafeMutableRawBufferPointer) -> Int {
    room.storeBytes(of: UInt32(requestSize), as: UInt32.self)
    room.storeBytes(of: SocketDiagnosis.byFamily, toByteOffset: 4, as: UInt16.self)
    room.storeBytes(of: SocketDiagnosis.isRequest | wantsAll, toByteOffset: 6, as: UInt16.self)
    room[16] = UInt8(family)
    room[17] = UInt8(IPPROTO_TCP)
    room.storeBytes(of: inHandshake, toByteOffset: 20, as: UInt32.self)
    room.storeBytes(of: port.bigEndian, toByteOffset: 24, as: UInt16.self)
    return requestSize
  }

  /// Without any socket, the answer is its end.
  static func namesSocket(_ answer: UnsafeRawBufferPointer) -> Bool? {
    answer.count >= 16 && answer.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == SocketDiagnosis.byFamily
  }
}
