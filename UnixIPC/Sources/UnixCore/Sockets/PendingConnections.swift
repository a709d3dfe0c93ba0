import Glibc

extension Descriptor {
  /// How many connections wait to be accepted at this listening stream socket.
  ///
  /// - Returns: nil for another kind of socket, and where the kernel does not give the number: without its module
  ///   `unix_diag`, or in a process that may not open netlink sockets.
  ///
  /// Source: tcp(7), TCP_INFO, which gives the backlog in tcpi_unacked; sock_diag(7), UNIX_DIAG_RQLEN.
  @_spi(Begat) public var pendingConnections: UInt32? {
    var information = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    if getsockopt(number, CInt(IPPROTO_TCP), TCP_INFO, &information, &length) == 0 { return information.tcpi_unacked }
    return pendingUnixConnections
  }

  private var pendingUnixConnections: UInt32? {
    guard let metadata = try? FileMetadata(of: self), metadata.kind == S_IFSOCK else { return nil }
    let inode = UInt32(truncatingIfNeeded: metadata.native.st_ino)
    switch SocketDiagnosis() {
    case .some(let diagnosis):
      return diagnosis.withAnswer(
        roomFor: 512, request: { UnixDiagnosis.writeRequest(inode: inode, to: $0) }, UnixDiagnosis.queueLength)
    case nil: return nil
    }
  }
}

/// The question for one Unix socket and its answer, as in linux/netlink.h and linux/unix_diag.h.
private enum UnixDiagnosis {
  private static let showQueueLength: UInt32 = 0x10  // UDIAG_SHOW_RQLEN
  private static let queueLength: UInt16 = 4  // UNIX_DIAG_RQLEN
  private static let requestSize = 40
  /// nlmsghdr and unix_diag_msg, before the attributes.
  private static let answerSize = 32

  static func writeRequest(inode: UInt32, to room: UnsafeMutableRawBufferPointer) -> Int {
    room.storeBytes(of: UInt32(requestSize), as: UInt32.self)
    room.storeBytes(of: SocketDiagnosis.byFamily, toByteOffset: 4, as: UInt16.self)
    room.storeBytes(of: SocketDiagnosis.isRequest, toByteOffset: 6, as: UInt16.self)
    room[16] = UInt8(AF_UNIX)
    // The states are of no concern for a single socket; a cookie of ones means any.
    room.storeBytes(of: inode, toByteOffset: 24, as: UInt32.self)
    room.storeBytes(of: showQueueLength, toByteOffset: 28, as: UInt32.self)
    room.storeBytes(of: .max, toByteOffset: 32, as: UInt64.self)
    return requestSize
  }

  static func queueLength(in answer: UnsafeRawBufferPointer) -> UInt32? {
    guard answer.count >= answerSize,
      answer.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == SocketDiagnosis.byFamily
    else {
      return nil
    }
    var offset = answerSize
    while offset + 8 <= answer.count {
      let length = Int(answer.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
      let kind = answer.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)
      if kind == queueLength { return answer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self) }
      guard length >= 4 else { return nil }
      offset += (length + 3) & ~3
    }
    return nil
  }
}
