@_spi(Begat) import UnixCore

/// Who is logged in, in the manner of who(1).
enum LoginList {
  static func append(to reply: inout Reply, of connection: inout Connection) throws(ConnectionFailure) {
    let logins = Logins.current()
    if logins.isEmpty { return try reply.append("Nobody is logged in.\r\n", to: &connection) }
    try withBuffer(512) { (room) throws(ConnectionFailure) in
      for login in logins {
        var line = ByteWriter(room)
        line.append(padded(login.user.escaped, to: 12))
        line.append(padded(login.line.escaped, to: 12))
        CalendarTime.append(login.since, to: &line)
        if !login.host.isEmpty { line.append(" (\(login.host.escaped))") }
        try reply.append(line.bytes, to: &connection)
        try reply.append("\r\n", to: &connection)
      }
    }
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.utf8.count))
  }
}
