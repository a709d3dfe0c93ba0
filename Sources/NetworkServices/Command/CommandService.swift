@_spi(Begat) import UnixCore

/// A server that is talked to in lines, by hand or by program; perlipc's interactive server.
///
/// What the client types is compared and never sent back.
public struct CommandService: NetworkService {
  private let fortunes: FortuneCollection
  private let messageOfTheDay: [UInt8]
  private let added: (any AdditionalCommands)?
  private let help: [UInt8]

  /// - Parameter added: is asked before the server's own commands.
  package init(fortunes: FortuneCollection, messageOfTheDay: [UInt8], added: (any AdditionalCommands)? = nil) {
    self.fortunes = fortunes
    self.messageOfTheDay = CommandService.networkLines(messageOfTheDay)
    self.added = added
    help = Array(
      (["Commands: quit date who cookie motd"] + (added?.names ?? [])).joined(separator: " ").utf8 + [13, 10])
  }

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(1024) { (input) throws(ConnectionFailure) in
      try withBuffer(Reply.size) { (output) throws(ConnectionFailure) in
        var reader = CommandLineReader(room: input)
        var reply = Reply(in: output)
        try reply.append("Welcome to begat; type help for command list.\r\n", to: &connection)
        while true {
          try reply.append("Command? ", to: &connection)
          let input = try reader.next(from: &connection, after: &reply)
          // Commands take their own time, and not their client's.
          connection.stopClock()
          switch input {
          case .end: return
          case .areYouThere: try reply.append("\r\nYes, begat is here.\r\n", to: &connection)
          case .tooLong: try reply.append("Line too long: 512 bytes at most.\r\n", to: &connection)
          case .line(let line):
            guard let word = line.firstWord else { continue }
            if let added, try added.run(word, in: &reply, of: &connection) { continue }
            let command = Command(word: word)
            if command == .quit { return try reply.send(to: &connection) }
            try answer(command, in: &reply, of: &connection)
          }
        }
      }
    }
  }

  private func answer(_ command: Command, in reply: inout Reply, of connection: inout Connection)
    throws(ConnectionFailure)
  {
    switch command {
    case .quit: break
    case .date:
      try withBuffer(64) { (line) throws(ConnectionFailure) in
        try reply.append(DaytimeService.line(CalendarTime.now(), in: line), to: &connection)
      }
    case .who: try LoginList.append(to: &reply, of: &connection)
    case .cookie: try fortunes.append(fortunes.random(), to: &reply, of: &connection)
    case .motd where messageOfTheDay.isEmpty:
      try reply.append("There is no message of the day.\r\n", to: &connection)
    case .motd: for byte in messageOfTheDay { try reply.append(byte, to: &connection) }
    case .help: for byte in help { try reply.append(byte, to: &connection) }
    }
  }

  /// The text with CRLF at every line's end, the last one's too.
  private static func networkLines(_ text: [UInt8]) -> [UInt8] {
    var lines: [UInt8] = []
    var ends = LineEnds()
    let text = text.last == UInt8(ascii: "\n") || text.isEmpty ? text : text + [UInt8(ascii: "\n")]
    text.withUnsafeBytes { bytes in ends.expand(bytes) { lines.append($0) } }
    return lines
  }
}

/// What a line asks for.
enum Command: Hashable {
  case quit
  case date
  case who
  case cookie
  case motd
  case help

  /// The whole word counts, in any case; anything unknown asks for help.
  init(word: UntrustedBytes) {
    func isWord(_ name: String) -> Bool { word.isWord(name, ignoringCase: true) }
    if isWord("quit") || isWord("exit") {
      self = .quit
    } else if isWord("date") || isWord("time") {
      self = .date
    } else if isWord("who") {
      self = .who
    } else if isWord("cookie") {
      self = .cookie
    } else if isWord("motd") {
      self = .motd
    } else {
      self = .help
    }
  }
}
