import Glibc

/// Sockets that are given up while clients wait at them, or whose address moves.
@_spi(Begat) extension Descriptor {
  /// Lets a listening or datagram socket take nothing new; what has arrived before can still be accepted, or received
  /// and answered.
  ///
  /// A TCP socket is bound to an interface that no packet comes through: the kernel does not find it any more for a new
  /// client, who reaches another socket that has the address too, or is refused.  A connection whose handshake has begun
  /// completes it, because the kernel finds that by its addresses.  This is better than closing the socket, which resets
  /// the connections that wait there, and than a filter, which lets a new client repeat its SYN for a second.
  ///
  /// A UDP socket, which could then not send its answers, gets a filter that drops everything.  A Unix socket is shut down
  /// for reading: connect(2) fails with `ECONNREFUSED`, sendto(2) with `EPIPE`.
  ///
  /// - Throws: `EPERM` for a TCP socket that has an interface already, without CAP_NET_RAW; such a socket goes on as
  ///   before.
  ///
  /// Source: SO_BINDTODEVICE and SO_ATTACH_FILTER in socket(7); `sock_bindtoindex` and `inet_lookup_listener` in Linux;
  /// shutdown(2).
  public func refuseNewClients() throws(SystemCallError) {
    let family = try localAddress().family
    guard family == .ipv4 || family == .ipv6 else {
      _ = try check("shutdown", onDescriptor: number) { Glibc.shutdown(number, CInt(SHUT_RD)) }
      return
    }
    if socketKind == .datagram { return try SocketFilter.dropEverything.attach(to: self) }
    // The kernel takes any number, whether an interface has it or not.
    try setOption(SOL_SOCKET, bindToInterfaceIndex, CInt.max)
  }

  /// Lets a socket that other processes go on holding take nothing new, until `takeNewClients`; what has arrived before can
  /// still be accepted, or received and answered.
  ///
  /// TCP and datagram sockets get a filter.  A new client of TCP repeats its SYN, and is connected when the filter is gone
  /// and its patience is not; datagrams are lost.  Unlike `refuseNewClients`, it can be undone without privileges.
  ///
  /// - Throws: `EPERM` for a TCP socket without CAP_NET_ADMIN, which some kernels want for that (6.18, for one).
  /// - Returns: false for a Unix stream socket, for which the kernel has nothing of the kind: its clients wait.
  ///
  /// Source: SO_ATTACH_FILTER in socket(7); `tcp_filter` and `unix_dgram_sendmsg` in Linux.
  public func dropNewClients() throws(SystemCallError) -> Bool {
    guard let filter = try newClientFilter() else { return false }
    try filter.attach(to: self)
    return true
  }

  /// Undoes `dropNewClients`, by whichever process that was done.
  ///
  /// - Returns: whether the socket had such a filter.
  @discardableResult
  public func takeNewClients() throws(SystemCallError) -> Bool {
    guard let filter = try newClientFilter(), filter.isAttached(to: self) else { return false }
    try SocketFilter.detach(from: self)
    return true
  }

  private func newClientFilter() throws(SystemCallError) -> SocketFilter? {
    if socketKind == .datagram { return .dropEverything }
    let family = try localAddress().family
    return family == .ipv4 || family == .ipv6 ? .dropNewConnections : nil
  }

  /// Sets whether other sockets of this user that have the option too may be bound to an address that meets this one's.
  ///
  /// It may be set at any time: the kernel looks at it when the other socket is bound.
  ///
  /// Source: SO_REUSEPORT in socket(7).
  public func setSharesPort(_ shares: Bool) throws(SystemCallError) {
    try setOption(SOL_SOCKET, SO_REUSEPORT, shares ? 1 : 0)
  }

  /// Changes the interface through which all traffic of a bound socket goes; nil for any.
  ///
  /// - Throws: `EPERM` for a socket that has an interface already, without CAP_NET_RAW; `ENODEV`.
  ///
  /// Source: SO_BINDTODEVICE in socket(7).
  public func setBoundDevice(_ device: String?) throws(SystemCallError) {
    let number = number
    _ = try check("setsockopt SO_BINDTODEVICE", text: device ?? "") {
      setsockopt(number, SOL_SOCKET, bindToDevice, $0, socklen_t(strlen($0)))
    }
  }

  /// Ends the probing of silent peers, for connections that are accepted from now on.
  ///
  /// Source: SO_KEEPALIVE in socket(7).
  public func disableKeepalive() { try? setOption(SOL_SOCKET, SO_KEEPALIVE, 0) }
}
