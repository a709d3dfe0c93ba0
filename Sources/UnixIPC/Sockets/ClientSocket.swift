import Glibc

/// Connections as a client.
public enum ClientSocket {
  /// Connects to one address, waiting as long as the kernel does.
  ///
  /// Source: connect(2).
  public static func connect(to address: SocketAddress) throws(CallFailure) -> Descriptor {
    let socket = try open(for: address, flags: 0)
    try connect(socket, to: address)
    return socket
  }

  /// Gives a socket its peer.
  public static func connect(_ socket: borrowing Descriptor, to address: SocketAddress) throws(CallFailure) {
    let number = socket.number
    let native = try NativeAddress(address)
    _ = try check("connect", on: address.description) { native.withPointer { Glibc.connect(number, $0, $1) } }
  }

  /// Connects to one address within a time.
  ///
  /// - Throws: `ETIMEDOUT` after the time.
  public static func connect(to address: SocketAddress, within limit: Duration) throws(CallFailure) -> Descriptor {
    let socket = try start(to: address)
    var query = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
    let milliseconds = CInt(
      clamping: limit.components.seconds * 1000 + limit.components.attoseconds / 1_000_000_000_000_000)
    guard poll(&query, 1, milliseconds) > 0 else {
      throw CallFailure("connect", on: address.description, errno: .timedOut)
    }
    try finish(socket, to: address)
    try socket.setNonBlocking(false)
    return socket
  }

  /// Starts to connect without waiting: the socket, which stays non-blocking, is writable when it is decided.
  ///
  /// - Parameter source: the address to connect from, its port chosen by the kernel.
  public static func start(to address: SocketAddress, from source: SocketAddress? = nil) throws(CallFailure)
    -> Descriptor
  {
    let socket = try open(for: address, flags: nonBlockingFlag)
    if let source {
      // The port is chosen at connect, when the pair is known: else 28,000 of them are soon used up.
      try socket.setOption(CInt(IPPROTO_IP), bindAddressNoPort, 1)
      let native = try NativeAddress(source)
      _ = try check("bind", on: source.description) { native.withPointer { Glibc.bind(socket.number, $0, $1) } }
    }
    let native = try NativeAddress(address)
    do throws(Errno) {
      _ = try attempt { native.withPointer { Glibc.connect(socket.number, $0, $1) } }
    } catch {
      if error != .inProgress { throw CallFailure("connect", on: address.description, errno: error) }
    }
    return socket
  }

  /// Tells how a connection that was started went.
  ///
  /// - Throws: why it failed.
  public static func finish(_ socket: borrowing Descriptor, to address: SocketAddress) throws(CallFailure) {
    let error = try socket.option(SOL_SOCKET, SO_ERROR)
    if error != 0 { throw CallFailure("connect", on: address.description, errno: Errno(rawValue: error)) }
  }

  private static func open(for address: SocketAddress, flags: CInt) throws(CallFailure) -> Descriptor {
    let family =
      switch address {
      case .ipv4: AF_INET
      case .ipv6: AF_INET6
      case .unixPath, .unixAbstract, .unixUnnamed: AF_UNIX
      }
    return try Descriptor.socket(family: family, kind: streamKind | flags)
  }
}
