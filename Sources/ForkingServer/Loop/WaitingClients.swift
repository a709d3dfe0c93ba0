import Glibc
import UnixIPC

/// What waits at a listening socket, looked at without taking anything: two looks tell whether a program that had the
/// socket has taken a client.
struct WaitingClients {
  /// Whether anything waits.
  let isAny: Bool
  /// Connections that wait to be accepted, where the kernel tells it.
  private var count: UInt32?
  /// The first datagram and its sender in one number.
  private var head: UInt64?

  /// Connections that wait at a stream socket.
  ///
  /// Source: tcp(7), TCP_INFO; the kernel's tcp_get_info, which gives the backlog in tcpi_unacked.
  init(ofStream socket: borrowing Descriptor) {
    isAny = socket.waitUntilReadable(milliseconds: 0)
    var information = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    if getsockopt(socket.number, CInt(IPPROTO_TCP), TCP_INFO, &information, &length) == 0 {
      count = information.tcpi_unacked
    }
  }

  /// Datagrams that wait.
  init(ofDatagram socket: borrowing Descriptor) {
    var head: UInt64?
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
      var sender = sockaddr_storage()
      let number = socket.number
      // FNV-1a: good enough to tell two datagrams apart.
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      let length = withUnsafeMutableBytes(of: &sender) { bytes in
        var size = socklen_t(bytes.count)
        let length = recvfrom(
          number, room.baseAddress, room.count, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT),
          bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        for byte in bytes.prefix(Int(size)) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return length
      }
      guard length >= 0 else { return }
      for byte in room.prefix(length) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      head = hash
    }
    self.head = head
    isAny = head != nil
  }

  /// Whether none of the clients that waited at the first look, `self`, was taken up to the second one.
  ///
  /// A busy service may look so now and then, when another client comes for each that is taken, so that one look says
  /// nothing.
  func areAllThere(at later: WaitingClients) -> Bool {
    guard later.isAny else { return false }
    if let count, let laterCount = later.count { return laterCount >= count }
    return head == later.head
  }
}
