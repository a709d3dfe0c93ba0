import Glibc

/// A group of hosts, on the network of one interface.
public enum MulticastGroup: Hashable, Sendable {
  /// From 224.0.0.0 to 239.255.255.255.
  case ipv4(IPv4Address, interface: NetworkInterface = .any)
  /// `ff00::/8`.
  case ipv6(IPv6Address, interface: NetworkInterface = .any)
}

/// A network interface by its index.
///
/// Source: netdevice(7).
public struct NetworkInterface: Hashable, Sendable {
  /// The index, which the kernel gives; 0 for any interface.
  public let index: UInt32

  /// An interface whose index is known.
  public init(index: UInt32) { self.index = index }

  /// Nil when there is none of this name now.
  ///
  /// Source: if_nametoindex(3).
  public init?(named name: String) {
    let index = try? name.withCText("if_nametoindex") { (name) throws(SystemCallError) in if_nametoindex(name) }
    guard let index, index != 0 else { return nil }
    self.index = index
  }

  /// Leaves the choice to the kernel's routes.
  public static let any = NetworkInterface(index: 0)
}

/// Datagrams to many hosts at once.
///
/// Source: ip(7), ipv6(7), SO_BROADCAST in socket(7).
extension Descriptor {
  /// Whether it may send to a broadcast address; without, that is `EACCES`, when connecting to it already.
  ///
  /// Source: SO_BROADCAST in socket(7).
  public func setBroadcast(_ mayBroadcast: Bool) throws(SystemCallError) {
    try setOption(SOL_SOCKET, SO_BROADCAST, mayBroadcast ? 1 : 0)
  }

  /// Receives what is sent to a group, until it leaves or closes; and of groups only what it joined itself, not what
  /// another socket of this machine did.
  ///
  /// - Throws: `EADDRINUSE` when it is a member, `EINVAL` when the address is no group's, `ENODEV` when no interface
  ///   leads there.
  ///
  /// Source: IP_ADD_MEMBERSHIP in ip(7), IPV6_ADD_MEMBERSHIP in ipv6(7).
  public func join(_ group: MulticastGroup) throws(SystemCallError) {
    switch group {
    case .ipv4: try setOption(CInt(IPPROTO_IP), multicastOfOthers, 0)
    case .ipv6: try setOption(CInt(IPPROTO_IPV6), multicastOfOthersIPv6, 0)
    }
    try setMembership(group, ipv4: IP_ADD_MEMBERSHIP, ipv6: IPV6_ADD_MEMBERSHIP)
  }

  /// Receives no more what is sent to the group.
  ///
  /// - Throws: `EADDRNOTAVAIL` when it is no member.
  ///
  /// Source: IP_DROP_MEMBERSHIP in ip(7), IPV6_DROP_MEMBERSHIP in ipv6(7).
  public func leave(_ group: MulticastGroup) throws(SystemCallError) {
    try setMembership(group, ipv4: IP_DROP_MEMBERSHIP, ipv6: IPV6_DROP_MEMBERSHIP)
  }

  /// How many routers what it sends to groups may pass, plus one: 1, the default, is the local network, 0 this machine.
  ///
  /// - Throws: `EINVAL` above 255.
  ///
  /// Source: IP_MULTICAST_TTL in ip(7), IPV6_MULTICAST_HOPS in ipv6(7).
  public func setMulticastHops(_ count: Int) throws(SystemCallError) {
    // The kernel takes -1 for its default.
    guard let count = CInt(exactly: count), count >= 0 else {
      throw SystemCallError("setsockopt", code: .invalidArgument)
    }
    try setMulticastOption(ipv4: IP_MULTICAST_TTL, ipv6: IPV6_MULTICAST_HOPS, count)
  }

  /// Whether members on this machine get what it sends; yes by default.
  ///
  /// Source: IP_MULTICAST_LOOP in ip(7), IPV6_MULTICAST_LOOP in ipv6(7).
  public func setMulticastLoop(_ reachesThisMachine: Bool) throws(SystemCallError) {
    try setMulticastOption(ipv4: IP_MULTICAST_LOOP, ipv6: IPV6_MULTICAST_LOOP, reachesThisMachine ? 1 : 0)
  }

  /// Through which interface it sends to groups.
  ///
  /// - Throws: `EADDRNOTAVAIL` or `ENODEV` when there is none of this index.
  ///
  /// Source: IP_MULTICAST_IF in ip(7), IPV6_MULTICAST_IF in ipv6(7).
  public func setMulticastInterface(_ interface: NetworkInterface) throws(SystemCallError) {
    if try isVersion6 {
      try setOption(CInt(IPPROTO_IPV6), IPV6_MULTICAST_IF, CInt(bitPattern: interface.index))
    } else {
      let choice = ip_mreqn(
        imr_multiaddr: in_addr(), imr_address: in_addr(), imr_ifindex: CInt(bitPattern: interface.index))
      try setOption(CInt(IPPROTO_IP), IP_MULTICAST_IF, structure: choice)
    }
  }

  private func setMembership(_ group: MulticastGroup, ipv4: CInt, ipv6: CInt) throws(SystemCallError) {
    switch group {
    case .ipv4(let address, let interface):
      let membership = ip_mreqn(
        imr_multiaddr: in_addr(s_addr: address.rawValue.bigEndian), imr_address: in_addr(),
        imr_ifindex: CInt(bitPattern: interface.index))
      try setOption(CInt(IPPROTO_IP), ipv4, native: membership)
    case .ipv6(let address, let interface):
      let membership = ipv6_mreq(ipv6mr_multiaddr: address.native, ipv6mr_interface: interface.index)
      try setOption(CInt(IPPROTO_IPV6), ipv6, native: membership)
    }
  }

  private func setMulticastOption(ipv4: CInt, ipv6: CInt, _ value: CInt) throws(SystemCallError) {
    if try isVersion6 {
      try setOption(CInt(IPPROTO_IPV6), ipv6, value)
    } else {
      try setOption(CInt(IPPROTO_IP), ipv4, value)
    }
  }

  private var isVersion6: Bool { get throws(SystemCallError) { try option(SOL_SOCKET, SO_DOMAIN) == AF_INET6 } }
}
