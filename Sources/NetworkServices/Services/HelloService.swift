import UnixIPC

/// Greets the client with the time, then tells a fortune; the server of perlipc.
public struct HelloService: NetworkService {
  private let fortunes: FortuneCollection

  public init(fortunes: FortuneCollection) { self.fortunes = fortunes }

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(4096) { (room) throws(ConnectionFailure) in
      var reply = Reply(in: room)
      try reply.append("Hello there", to: &connection)
      if let name = connection.peer.name {
        try reply.append(", ", to: &connection)
        try reply.append(name, to: &connection)
      }
      try reply.append(", it's now ", to: &connection)
      try withBuffer(64) { (line) throws(ConnectionFailure) in
        try reply.append(DaytimeService.line(CalendarTime.now(), in: line), to: &connection)
      }
      try fortunes.append(fortunes.random(), to: &reply, of: &connection)
      try reply.send(to: &connection)
    }
  }
}
