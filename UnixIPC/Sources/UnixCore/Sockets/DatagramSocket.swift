import CPlatform
import Glibc

/// A datagram socket of a server: each answer goes out from the address that was asked.
///
/// Source: udp(7), ip(7) IP_PKTINFO.
public struct DatagramSocket: ~Copyable, Sendable {
  /// The descriptor, readable when a datagram waits.
  public let descriptor: Descriptor

  /// Where a datagram came from and which address it was sent to.
  public struct Sender: @unchecked Sendable {
    fileprivate var native = platform_datagram()

    /// Creates room for a sender, which `receive` fills in.
    public init() {}

    /// The address of the sender; nil if it cannot be answered, such as an unbound Unix socket.
    public var address: SocketAddress? { native.peerAddress }

    /// Whether the datagram went to a group of machines, by broadcast or multicast.
    public var wasBroadcast: Bool { native.to_many }
  }

  /// Takes over a socket that is bound already, such as one that was passed to this process.
  ///
  /// - Throws: `EINVAL` if it is no datagram socket.
  public init(adopting descriptor: consuming Descriptor) throws(SystemCallError) {
    let number = descriptor.number
    guard descriptor.socketKind == .datagram else {
      throw SystemCallError("recvmsg", onDescriptor: number, code: .invalidArgument)
    }
    let family = try descriptor.localAddress().family
    _ = try check("setsockopt", onDescriptor: number) { platform_ask_for_local_address(number, family.rawValue) }
    self.descriptor = descriptor
  }

  /// Binds to an internet or abstract address.
  public init(_ address: SocketAddress, options: BindOptions = BindOptions()) throws(SystemCallError) {
    try self.init(adopting: try Descriptor.bound(to: address, kind: .datagram, options: options))
  }

  /// Hands the descriptor over, still bound.
  public consuming func release() -> Descriptor { descriptor }

  /// Takes the next datagram, cut to the buffer's size; never waits (`EAGAIN`).
  public func receive(into buffer: UnsafeMutableRawBufferPointer, from sender: inout Sender) throws(SystemCallError)
    -> Int
  {
    try check("recvmsg", onDescriptor: descriptor.number) {
      platform_receive_datagram(descriptor.number, buffer.baseAddress, buffer.count, &sender.native)
    }
  }

  /// Sends a datagram that answers none.
  ///
  /// Source: sendto(2).
  @_spi(Begat) public func sendQuestion(
    _ bytes: some Collection<UInt8>, to address: SocketAddress
  ) throws(SystemCallError) {
    let native = try RawSocketAddress(address, for: "sendto")
    let number = descriptor.number
    let copy = Array(bytes)
    _ = try check("sendto", on: address.description) {
      native.withPointer { sendto(number, copy, copy.count, CInt(MSG_NOSIGNAL), $0, $1) }
    }
  }

  /// Answers a sender, from the address to which its datagram went; never waits.
  ///
  /// - Throws: `EAGAIN` when there is no room to send it; a peer that is gone is an error, never a signal.
  public func send(_ bytes: UnsafeRawBufferPointer, to sender: inout Sender) throws(SystemCallError) {
    _ = try check("sendmsg", onDescriptor: descriptor.number) {
      platform_send_datagram(descriptor.number, bytes.baseAddress, bytes.count, &sender.native)
    }
  }
}

extension platform_datagram {
  /// The address of the sender; nil if it has none.
  var peerAddress: SocketAddress? {
    guard peer_length > 0 else { return nil }
    var address = RawSocketAddress()
    address.storage = peer
    address.length = peer_length
    return address.address
  }
}
