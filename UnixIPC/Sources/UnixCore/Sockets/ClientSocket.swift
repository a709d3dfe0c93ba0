import Glibc

/// Connections as a client.
public enum ClientSocket {
  /// Connects to one address.
  ///
  /// - Parameter source: the address to connect from, its port chosen by the kernel.
  /// - Returns: a blocking socket.
  /// - Throws: `ETIMEDOUT` at the deadline, or before it where the kernel gives up.
  ///
  /// Source: connect(2).
  public static func connect(
    to address: SocketAddress, from source: SocketAddress? = nil, until deadline: Deadline = .never
  ) throws(SystemCallError) -> Descriptor {
    if address.isUnix { return try connectUnix(to: address, from: source, until: deadline) }
    let socket = try start(to: address, from: source)
    guard socket.wait(for: .writable, until: deadline) else {
      throw SystemCallError("connect", on: address.description, code: .timedOut)
    }
    try finish(socket, to: address)
    try socket.setNonBlocking(false)
    return socket
  }

  /// Gives a datagram socket its peer.
  ///
  /// A stream socket is connected by `connect(to:from:until:)`: a signal would leave its connection undecided here.
  ///
  /// Source: connect(2).
  @_spi(Begat) public static func connect(
    _ socket: borrowing Descriptor, to address: SocketAddress
  ) throws(SystemCallError) {
    let number = socket.number
    let native = try RawSocketAddress(address, for: "connect")
    _ = try check("connect", on: address.description) { native.withPointer { Glibc.connect(number, $0, $1) } }
  }

  /// Starts to connect without waiting: the socket, which stays non-blocking, is writable when it is decided.
  ///
  /// - Parameter source: the address to connect from, its port chosen by the kernel.
  /// - Throws: `EAGAIN` for a Unix socket whose backlog is full: nothing would tell when there is room.
  public static func start(to address: SocketAddress, from source: SocketAddress? = nil) throws(SystemCallError)
    -> Descriptor
  {
    let socket = try open(for: address, from: source, isNonBlocking: true)
    let native = try RawSocketAddress(address, for: "connect")
    do throws(SystemCallError) {
      _ = try check("connect", on: address.description) {
        native.withPointer { Glibc.connect(socket.number, $0, $1) }
      }
    } catch {
      if error.code != .nowInProgress { throw error }
    }
    return socket
  }

  /// Tells how a connection that was started went.
  ///
  /// - Throws: why it failed.
  public static func finish(_ socket: borrowing Descriptor, to address: SocketAddress) throws(SystemCallError) {
    let error = try socket.option(SOL_SOCKET, SO_ERROR)
    if error != 0 { throw SystemCallError("connect", on: address.description, code: ErrorCode(rawValue: error)) }
  }

  /// The kernel itself waits for room in a full backlog, for as long as sending may take: nothing is tried twice here.
  private static func connectUnix(to address: SocketAddress, from source: SocketAddress?, until deadline: Deadline)
    throws(SystemCallError) -> Descriptor
  {
    let socket = try open(for: address, from: source, isNonBlocking: false)
    let native = try RawSocketAddress(address, for: "connect")
    let deadline = min(deadline, .current)
    while true {
      if let left = deadline.remaining {
        let microseconds = max(1, left.nanoseconds / 1000)
        let limit = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        try socket.setOption(SOL_SOCKET, SO_SNDTIMEO, structure: limit)
      }
      if native.withPointer({ Glibc.connect(socket.number, $0, $1) }) == 0 { break }
      let error = ErrorCode.current
      // A signal interrupts it: then again, with what is left.
      let isUndecided = error == .interrupted || error == .wouldBlock
      if isUndecided, !deadline.isExpired { continue }
      throw SystemCallError("connect", on: address.description, code: isUndecided ? .timedOut : error)
    }
    if deadline != .never { try socket.setOption(SOL_SOCKET, SO_SNDTIMEO, structure: timeval()) }
    return socket
  }

  private static func open(for address: SocketAddress, from source: SocketAddress?, isNonBlocking: Bool)
    throws(SystemCallError) -> Descriptor
  {
    let family = try RawSocketAddress(address, for: "connect").family
    let socket = try Descriptor.socket(family: family, kind: .stream, isNonBlocking: isNonBlocking)
    guard let source else { return socket }
    // The port is chosen at connect, when the pair is known: else 28,000 of them are soon used up.
    if !source.isUnix { try socket.setOption(CInt(IPPROTO_IP), bindAddressNoPort, 1) }
    let native = try RawSocketAddress(source)
    _ = try check("bind", on: source.description) { native.withPointer { Glibc.bind(socket.number, $0, $1) } }
    return socket
  }
}
