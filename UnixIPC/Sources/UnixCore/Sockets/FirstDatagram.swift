import Glibc

/// The datagram that a socket would deliver next, looked at without taking it.
///
/// Two looks with a time stamp prove whether it is the same datagram: a second one with the same bytes from the same
/// sender has another stamp.
@_spi(Begat) public struct FirstDatagram: Equatable {
  /// The bytes and the sender in one number.
  public let content: UInt64
  /// When it arrived, or when it was first looked at with a stamp, whichever came first; nil without a stamp.
  public let stamp: Stamp?

  /// A time of the kernel's clock.
  public struct Stamp: Equatable {
    let seconds: Int64
    let nanoseconds: Int64
  }

  /// Looks at the first datagram.
  ///
  /// - Parameter isStamped: whether to get its time stamp.  The socket's own time-stamp option, which others who have
  ///   the socket may have set, is as before afterwards.
  /// - Returns: nil if none waits.
  ///
  /// Source: recv(2), MSG_PEEK; the kernel's Documentation/networking/timestamping.rst, SO_TIMESTAMPNS_NEW.
  public init?(at socket: borrowing Descriptor, isStamped: Bool) {
    let number = socket.number
    let look: Look? =
      isStamped
      ? FirstDatagram.withStamps(at: number) { FirstDatagram.peek(at: number, isStamped: $0) }
      : FirstDatagram.peek(at: number, isStamped: false)
    guard let look else { return nil }
    content = look.content
    stamp = isStamped ? look.stamp : nil
  }

  private typealias Look = (content: UInt64, stamp: Stamp?)

  private static let stampsNew: CInt = 64  // SO_TIMESTAMPNS_NEW
  /// SO_TIMESTAMP and SO_TIMESTAMPNS, old and new: setting one of them unsets the others.  SO_TIMESTAMP_NEW, 63, comes
  /// last, as it seems to be set whenever the option for nanoseconds is.
  private static let stampOptions: [CInt] = [29, 35, stampsNew, 63]

  private static func withStamps(at number: CInt, _ body: (Bool) -> Look?) -> Look? {
    let former = stampOptions.first { isSet($0, at: number) }
    let isStamping = set(stampsNew, true, at: number)
    let look = body(isStamping)
    set(stampsNew, false, at: number)
    if let former { set(former, true, at: number) }
    return look
  }

  private static func isSet(_ option: CInt, at number: CInt) -> Bool {
    var value: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    return getsockopt(number, SOL_SOCKET, option, &value, &size) == 0 && value != 0
  }

  @discardableResult
  private static func set(_ option: CInt, _ isOn: Bool, at number: CInt) -> Bool {
    var value: CInt = isOn ? 1 : 0
    return setsockopt(number, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
  }

  /// Room for one control message, the stamp, which comes first, and none without a stamp: descriptors that a datagram
  /// of a Unix socket carries would be opened here at each look.
  private static let controlSize = 32

  private static func peek(at number: CInt, isStamped: Bool) -> Look? {
    withUnsafeTemporaryAllocation(byteCount: 512 + controlSize, alignment: 16) { room in
      let text = UnsafeMutableRawBufferPointer(rebasing: room[controlSize...])
      var sender = sockaddr_storage()
      var part = iovec(iov_base: text.baseAddress, iov_len: text.count)
      var message = msghdr()
      message.msg_control = room.baseAddress
      message.msg_controllen = isStamped ? controlSize : 0
      message.msg_iovlen = 1
      let length = withUnsafeMutableBytes(of: &sender) { name in
        withUnsafeMutablePointer(to: &part) { part in
          message.msg_name = name.baseAddress
          message.msg_namelen = socklen_t(name.count)
          message.msg_iov = part
          return recvmsg(number, &message, peekFlag | doNotWaitFlag)
        }
      }
      guard length >= 0 else { return nil }
      // FNV-1a: good enough to tell two datagrams apart.
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in text[..<(text.startIndex + min(length, text.count))] {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
      }
      withUnsafeBytes(of: &sender) { name in
        for byte in name.prefix(Int(message.msg_namelen)) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      }
      return (hash, stamp(in: UnsafeRawBufferPointer(rebasing: room[..<Int(message.msg_controllen)])))
    }
  }

  /// cmsghdr: size, level and type, then the stamp.
  private static func stamp(in control: UnsafeRawBufferPointer) -> Stamp? {
    guard control.count >= controlSize, control.load(fromByteOffset: 8, as: CInt.self) == SOL_SOCKET,
      control.load(fromByteOffset: 12, as: CInt.self) == stampsNew
    else { return nil }
    return Stamp(
      seconds: control.load(fromByteOffset: 16, as: Int64.self),
      nanoseconds: control.load(fromByteOffset: 24, as: Int64.self))
  }
}
