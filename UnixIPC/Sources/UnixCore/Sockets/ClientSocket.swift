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
    let native = try RawSocketAddress(address, for: "connect")
    guard let source else { return try start(to: native) }
    return try start(to: native, from: try RawSocketAddress(source))
  }

  /// Starts to connect to an address in the kernel's form, for a caller that connects many times.
  ///
  /// - Parameter kind: a datagram socket gets its peer and sends nothing; one of the Unix family without a source gets a
  ///   name from the kernel, because it could not be answered otherwise.
  @_spi(Begat) public static func start(
    to address: RawSocketAddress, from source: RawSocketAddress? = nil, kind: SocketKind = .stream
  ) throws(SystemCallError) -> Descriptor {
    let isNameless = source == nil && kind == .datagram && address.family == .unix
    let source = isNameless ? try RawSocketAddress(.unixUnnamed) : source
    let socket = try open(kind, of: address.family, from: source, isNonBlocking: true)
    let number = socket.number
    _ = try check("connect", on: address.address?.description) {
      let result = address.withPointer { Glibc.connect(number, $0, $1) }
      // Nearly every connection over TCP ends here: an error would be made, with its text, for each of them.
      return result == -1 && ErrorCode.current == .nowInProgress ? 0 : result
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
    let native = try RawSocketAddress(address, for: "connect")
    let from: RawSocketAddress? = if let source { try RawSocketAddress(source) } else { nil }
    let socket = try open(.stream, of: native.family, from: from, isNonBlocking: false)
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

  private static func open(
    _ kind: SocketKind, of family: AddressFamily, from source: RawSocketAddress?, isNonBlocking: Bool
  ) throws(SystemCallError) -> Descriptor {
    let socket = try Descriptor.socket(family: family, kind: kind, isNonBlocking: isNonBlocking)
    guard let source else { return socket }
    // The port is chosen at connect, when the pair is known: else 28,000 of them are soon used up.
    if source.family != .unix { try socket.setOption(CInt(IPPROTO_IP), bindAddressNoPort, 1) }
    let number = socket.number
    _ = try check("bind", on: source.address?.description) { source.withPointer { Glibc.bind(number, $0, $1) } }
    return socket
  }
}
