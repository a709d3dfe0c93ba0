import Glibc

/// How an internet address is bound.
public struct BindOptions: Hashable, Sendable {
  /// Whether the address may be one that the machine does not have yet.
  public var isFree = false
  /// The interface through which all traffic goes; nil for any.
  public var device: String?
  /// Whether other datagram sockets that say so too may have the same address, as all listeners to a group do.
  public var isShared = false

  public init(isFree: Bool = false, device: String? = nil, isShared: Bool = false) {
    self.isFree = isFree
    self.device = device
    self.isShared = isShared
  }

  /// What the kernel allows for an interface's name, in bytes.
  public static let longestDevice = 15

  /// Source: IP_FREEBIND in ip(7), SO_BINDTODEVICE and SO_REUSEADDR in socket(7).
  func apply(to socket: borrowing Descriptor, family: CInt) throws(CallFailure) {
    if isShared { try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
    if isFree {
      if family == AF_INET6 {
        try socket.setOption(CInt(IPPROTO_IPV6), freeBindIPv6, 1)
      } else {
        try socket.setOption(CInt(IPPROTO_IP), freeBind, 1)
      }
    }
    guard let device else { return }
    let number = socket.number
    _ = try check("setsockopt SO_BINDTODEVICE", on: device) {
      device.withCString { setsockopt(number, SOL_SOCKET, bindToDevice, $0, socklen_t(strlen($0))) }
    }
  }
}
