import Glibc

/// How an internet address is bound.
public struct BindOptions: Hashable, Sendable {
  /// Whether the address may be one that the machine does not have yet (`IP_FREEBIND`).
  public var allowsNonlocalAddress = false
  /// The interface through which all traffic goes; nil for any (`SO_BINDTODEVICE`).
  public var device: String?
  /// Whether other datagram sockets with this option may have the same address, as all listeners to a group do
  /// (`SO_REUSEADDR`).  Stream sockets always have it: connections of a former server in TIME_WAIT do not keep the port.
  public var reusesAddress = false
  /// Whether an IPv6 address takes IPv4 too, as addresses `::ffff:a.b.c.d`: with ``IPv6Address/any``, one listener serves
  /// both (`IPV6_V6ONLY` off).
  public var acceptsIPv4 = false
  /// Whether sockets of this user that have the option too may be bound to an address that meets this one
  /// (`SO_REUSEPORT`): for an address that is to take the place of another.
  @_spi(Begat) public var sharesPort = false

  /// Creates options; without arguments, those of a server on one address.
  public init(
    allowsNonlocalAddress: Bool = false, device: String? = nil, reusesAddress: Bool = false, acceptsIPv4: Bool = false
  ) {
    self.allowsNonlocalAddress = allowsNonlocalAddress
    self.device = device
    self.reusesAddress = reusesAddress
    self.acceptsIPv4 = acceptsIPv4
  }

  /// The longest name of an interface, in bytes.
  public static let maxDeviceNameLength = 15

  /// Source: IP_FREEBIND in ip(7), SO_BINDTODEVICE and SO_REUSEADDR in socket(7), IPV6_V6ONLY in ipv6(7).
  func apply(to socket: borrowing Descriptor, family: AddressFamily) throws(SystemCallError) {
    if sharesPort { try socket.setSharesPort(true) }
    if reusesAddress { try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
    if family == .ipv6 { try socket.setOption(CInt(IPPROTO_IPV6), IPV6_V6ONLY, acceptsIPv4 ? 0 : 1) }
    if allowsNonlocalAddress {
      if family == .ipv6 {
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
    var name: [UInt8] = Array(repeating: 0, count: BindOptions.maxDeviceNameLength + 1)
    var length = socklen_t(name.count)
    _ = try check("getsockopt SO_BINDTODEVICE", onDescriptor: number) {
      getsockopt(number, SOL_SOCKET, bindToDevice, &name, &length)
    }
    let text = name.prefix(Int(length)).prefix { $0 != 0 }
    return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
  }

  /// Changes how many connections may wait on a listening socket; the kernel caps it at `net.core.somaxconn`.
  ///
  /// Source: listen(2).
  @_spi(Begat) public func setBacklog(_ backlog: CInt) throws(SystemCallError) {
    _ = try check("listen", onDescriptor: number) { Glibc.listen(number, backlog) }
  }
}
