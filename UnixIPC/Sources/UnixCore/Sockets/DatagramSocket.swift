import CPlatform
import Glibc

/// A datagram socket of a server: each answer goes out from the address that was asked.
///
/// Source: udp(7), ip(7) IP_PKTINFO.
public struct DatagramSocket: ~Copyable {
  public let descriptor: Descriptor

  /// Where a datagram came from and which address it was sent to.
  public struct Sender: @unchecked Sendable {
    fileprivate var native = platform_datagram()

    public init() {}

    /// Nil for a sender that cannot be answered, such as an unbound Unix socket.
    public var address: SocketAddress? {
      var address = RawSocketAddress()
      address.storage = native.peer
      address.length = native.peer_length
      return native.peer_length == 0 ? nil : address.address
    }

    /// Whether the datagram went to a group of machines, by broadcast or multicast.
    public var askedMany: Bool { native.to_many }
  }

  /// Takes over a socket that somebody else has bound.
  public init(adopting descriptor: consuming Descriptor) throws(SystemCallError) {
    let number = descriptor.number
    guard descriptor.socketKind == SocketKind.datagram else {
      throw SystemCallError("recvmsg", on: "descriptor \(number)", code: .invalidArgument)
    }
    let family = try descriptor.localAddress().family
    _ = try check("setsockopt") { platform_ask_for_local_address(number, family) }
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

  /// Answers; never waits.
  public func send(_ bytes: UnsafeRawBufferPointer, to sender: inout Sender) throws(SystemCallError) {
    _ = try check("sendmsg", onDescriptor: descriptor.number) {
      platform_send_datagram(descriptor.number, bytes.baseAddress, bytes.count, &sender.native)
    }
  }
}
