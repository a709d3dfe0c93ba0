import Glibc

/// Asks the kernel about clients of listening TCP sockets whose handshake is not complete.
///
/// The socket for the questions is opened when the value is made, so that a process may ask that can make no socket any
/// more.
///
/// Source: sock_diag(7).
@_spi(Begat) public struct HandshakeInquiry: ~Copyable {
  private let diagnosis: SocketDiagnosis?

  /// Opens the socket.
  public init() { diagnosis = SocketDiagnosis() }

  /// Whether clients have sent their SYN and are not in the backlog yet: the server's SYN-ACK, or the client's answer to
  /// it, is on the way.
  ///
  /// Clients of another socket with the same port count too.
  ///
  /// - Parameter socket: a listening socket.
  /// - Returns: false for another kind of socket, and where the kernel does not say: without its module `tcp_diag`, or in
  ///   a process that may not open netlink sockets.
  public func hasHandshakes(at socket: borrowing Descriptor) -> Bool {
    guard socket.socketKind == .stream, let address = try? socket.localAddress(), let port = address.address?.port
    else {
      return false
    }
    let family = address.family == .ipv6 ? AF_INET6 : AF_INET
    switch diagnosis {
    case .some(let diagnosis):
      return diagnosis.withAnswer(
        roomFor: 1024, request: { TCPDiagnosis.writeRequest(family: family, port: port, to: $0) },
        TCPDiagnosis.namesSocket) ?? false
    case nil: return false
    }
  }
}

/// A socket for questions to the kernel about sockets.
///
/// Source: sock_diag(7), netlink(7).
struct SocketDiagnosis: ~Copyable {
  private let socket: Descriptor

  private static let protocolNumber: CInt = 4  // NETLINK_SOCK_DIAG
  static let byFamily: UInt16 = 20  // SOCK_DIAG_BY_FAMILY
  static let isRequest: UInt16 = 1  // NLM_F_REQUEST

  /// Opens the socket; nil where there are none.
  init?() {
    let number = Glibc.socket(AF_NETLINK, SocketKind.datagram.rawValue | closeOnExecFlag, Self.protocolNumber)
    guard number >= 0 else { return nil }
    socket = Descriptor(owning: number)
  }

  /// Asks, and shows the first part of the answer.
  ///
  /// - Parameter writeRequest: writes the question and returns its size.
  /// - Returns: nil where the kernel does not answer.
  func withAnswer<Result>(
    roomFor size: Int, request writeRequest: (UnsafeMutableRawBufferPointer) -> Int,
    _ body: (UnsafeRawBufferPointer) -> Result?
  ) -> Result? {
    withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { room in
      room.initializeMemory(as: UInt8.self, repeating: 0)
      let size = writeRequest(room)
      guard Glibc.send(socket.number, room.baseAddress, size, 0) == size else { return nil }
      // The kernel has answered before send(2) returns.
      let count = Glibc.recv(socket.number, room.baseAddress, room.count, doNotWaitFlag)
      guard count > 0 else { return nil }
      let result = body(UnsafeRawBufferPointer(rebasing: room[..<count]))
      // A further question is not taken before the whole answer is.
      while Glibc.recv(socket.number, room.baseAddress, room.count, doNotWaitFlag) > 0 {}
      return result
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
