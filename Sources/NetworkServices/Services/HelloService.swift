@_spi(Begat) import UnixCore

/// Greets the client with the time, then tells a fortune; the server of perlipc.
public struct HelloService: NetworkService {
  private let fortunes: FortuneCollection

  public init(fortunes: FortuneCollection) { self.fortunes = fortunes }

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(Reply.size) { (room) throws(ConnectionFailure) in
      var reply = Reply(in: room)
      try withBuffer(512) { (line) throws(ConnectionFailure) in
        try reply.append(HelloService.greeting(connection.peer, in: line), to: &connection)
      }
      try fortunes.append(fortunes.random(), to: &reply, of: &connection)
      try reply.send(to: &connection)
    }
  }

  /// `Hello there, NAME, it's now TIME` and CRLF; without the name where the peer has none.
  private static func greeting(_ peer: Peer, in room: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer {
    var text = ByteWriter(room)
    text.append("Hello there, ")
    if peer.writeName(to: &text) { text.append(", ") }
    text.append("it's now ")
    CalendarTime.append(CalendarTime.nowOnce(), to: &text)
    text.append("\r\n")
    return text.bytes
  }
}
