import UnixIPC

/// Who is logged in, in the manner of who(1).
enum LoginList {
  static func append(to reply: inout Reply, of connection: inout Connection) throws(ConnectionFailure) {
    let logins = Logins.current()
    if logins.isEmpty { return try reply.append("Nobody is logged in.\r\n", to: &connection) }
    try withBuffer(512) { (room) throws(ConnectionFailure) in
      for login in logins {
        var line = ByteWriter(room)
        // Names come from other programs' files: nothing in them reaches the client's terminal raw.
        line.append(padded(escaped(login.user.utf8), to: 12))
        line.append(padded(escaped(login.line.utf8), to: 12))
        CalendarTime.append(login.since, to: &line)
        if !login.host.isEmpty { line.append(" (\(escaped(login.host.utf8)))") }
        try reply.append(line.bytes, to: &connection)
        try reply.append("\r\n", to: &connection)
      }
    }
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.utf8.count))
  }
}
