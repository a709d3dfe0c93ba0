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
  func apply(to socket: borrowing Descriptor, family: CInt) throws(SystemCallError) {
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
    _ = try check("setsockopt SO_BINDTODEVICE", text: device) {
      setsockopt(number, SOL_SOCKET, bindToDevice, $0, socklen_t(strlen($0)))
    }
  }
}

extension Descriptor {
  /// The interface through which all traffic of a socket goes; nil for any.
  ///
  /// Source: SO_BINDTODEVICE in socket(7).
  @_spi(Begat) public func boundDevice() throws(SystemCallError) -> String? {
    var name: [UInt8] = Array(repeating: 0, count: BindOptions.maximumDeviceNameLength + 1)
    var length = socklen_t(name.count)
    _ = try check("getsockopt SO_BINDTODEVICE") { getsockopt(number, SOL_SOCKET, bindToDevice, &name, &length) }
    let text = name.prefix(Int(length)).prefix { $0 != 0 }
    return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
  }

  /// Changes how many connections may wait on a listening socket; the kernel caps it at `net.core.somaxconn`.
  ///
  /// Source: listen(2).
  @_spi(Begat) public func setBacklog(_ backlog: CInt) throws(SystemCallError) {
    _ = try check("listen") { Glibc.listen(number, backlog) }
  }
}
