import Glibc
@_spi(Begat) import UnixCore

/// A plain client of a stream socket; nothing that it waits for is waited for longer than a deadline.
final class Client {
  private let socket: Descriptor

  /// - Parameter address: `127.0.0.1:2345`, `[::1]:2345`, `/path` or `@abstract`.
  /// - Parameter source: an address to connect from.
  init(_ address: String, from source: String? = nil) throws {
    guard let target = SocketAddress(address) else { throw HarnessFailure("no address: \(address)") }
    let from = try source.map { text in
      let host = text.contains(":") ? "[\(text)]" : text
      guard let from = SocketAddress(host: host, port: 0) else { throw HarnessFailure("no address: \(text)") }
      return from
    }
    socket = try ClientSocket.start(to: target, from: from)
    var query = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
    guard poll(&query, 1, 5000) > 0 else { throw HarnessFailure("connect \(address): no answer in 5 s") }
    try ClientSocket.finish(socket, to: target)
    try socket.setNonBlocking(false)
  }

  /// The client's own address, as the server sees it.
  func address() throws -> String { try socket.localAddress().address?.description ?? "?" }

  func send(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { bytes in
      var rest = bytes
      while !rest.isEmpty {
        let count = try socket.send(rest)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Tells the server that nothing more will come.
  func endSending() throws { try socket.shutDownSending() }

  /// Ends both directions: for the server, the client is gone.
  func hangUp() { shutdown(socket.number, CInt(SHUT_RDWR)) }

  /// Ends the connection as a crashed machine does, by a reset.
  ///
  /// Source: connect(2), AF_UNSPEC.
  func reset() {
    var nobody = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    connect(socket.number, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
  }

  /// Receives until there is enough.
  ///
  /// - Throws: at the stream's end, after the time, and when the connection was reset.
  func receive(within limit: Duration = .seconds(10), until isEnough: ([UInt8]) -> Bool) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let deadline = Deadline(within: limit)
    while !isEnough(bytes) {
      guard let more = try receiveSome(deadline) else {
        throw HarnessFailure("nothing more within \(limit) after “\(escaped(bytes))”")
      }
      guard !more.isEmpty else { throw HarnessFailure("the end after “\(escaped(bytes))”") }
      bytes += more
    }
    return bytes
  }

  func receive(count: Int, within limit: Duration = .seconds(10)) throws -> [UInt8] {
    try receive(within: limit) { $0.count >= count }
  }

  /// Receives until the text ends in a certain way.
  func receive(until suffix: String, within limit: Duration = .seconds(10)) throws -> String {
    let wanted = Array(suffix.utf8)
    return String(decoding: try receive(within: limit) { $0.suffix(wanted.count).elementsEqual(wanted) }, as: UTF8.self)
  }

  /// Receives until the text ends in a certain way, or to the stream's end.
  func receiveUntilEnd(or suffix: String, within limit: Duration = .seconds(20)) throws -> (text: String, isAtEnd: Bool)
  {
    var bytes: [UInt8] = []
    let deadline = Deadline(within: limit)
    while !bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
      guard let more = try receiveSome(deadline) else {
        throw HarnessFailure("nothing more within \(limit) after “\(escaped(bytes))”")
      }
      if more.isEmpty { return (String(decoding: bytes, as: UTF8.self), true) }
      bytes += more
    }
    return (String(decoding: bytes, as: UTF8.self), false)
  }

  /// Receives to the stream's end.
  func receiveAll(within limit: Duration = .seconds(10)) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let deadline = Deadline(within: limit)
    while true {
      guard let more = try receiveSome(deadline) else {
        throw HarnessFailure("no end within \(limit) after “\(escaped(bytes.prefix(200)))”")
      }
      if more.isEmpty { return bytes }
      bytes += more
    }
  }

  func receiveText(within limit: Duration = .seconds(10)) throws -> String {
    String(decoding: try receiveAll(within: limit), as: UTF8.self)
  }

  /// Waits for the connection's end, orderly or by a reset; false after the time.
  func awaitEnd(within limit: Duration = .seconds(10)) -> Bool {
    let deadline = Deadline(within: limit)
    while true {
      guard let more = try? receiveSome(deadline) else { return !deadline.hasPassed }
      if more.isEmpty { return true }
    }
  }

  /// Whether something, or the end, arrives within the time.
  func hears(within limit: Duration) -> Bool {
    socket.wait(for: .readable, until: UnixCore.Deadline(after: limit))
  }

  /// Empty at the end; nil after the time.
  private func receiveSome(_ deadline: Deadline) throws -> [UInt8]? {
    guard socket.wait(for: .readable, until: UnixCore.Deadline(after: .milliseconds(deadline.milliseconds))) else {
      return nil
    }
    return try [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
      count = try socket.receive(into: UnsafeMutableRawBufferPointer(room))
    }
  }
}

/// Asks a stream service once: sends, ends sending, receives to the end.
func ask(_ address: String, _ question: String? = nil, from source: String? = nil) throws -> [UInt8] {
  let client = try Client(address, from: source)
  if let question {
    try client.send(question)
    try client.endSending()
  }
  return try client.receiveAll()
}
