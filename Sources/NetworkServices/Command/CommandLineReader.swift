@_spi(Begat) import UnixCore

/// Reads lines of commands from a connection, telnet's bytes taken out.
struct CommandLineReader {
  enum Input: Hashable {
    case line(UntrustedBytes)
    case tooLong
    case areYouThere
    case end
  }

  /// The longest line in bytes.
  static let longestLine = 512

  private var telnet = TelnetFilter()
  private var lines = LineBuffer(limit: longestLine)
  private let room: UnsafeMutableRawBufferPointer
  private var unread = UnsafeRawBufferPointer(start: nil, count: 0)

  init(room: UnsafeMutableRawBufferPointer) { self.room = room }

  /// What the client says next, in the order in which it was said, however much of it arrived at once.
  ///
  /// - Parameter reply: is sent before the client is waited for.  The answers to lines that came together leave together.
  mutating func next(
    from connection: inout Connection, after reply: inout Reply
  ) throws(ConnectionFailure) -> Input {
    var beginsRecord = true
    while true {
      while let byte = unread.first {
        unread = UnsafeRawBufferPointer(rebasing: unread.dropFirst())
        if let input = take(byte) { return input }
      }
      try reply.send(to: &connection)
      let count = try connection.receive(into: room, beginsRecord: beginsRecord)
      if count == 0 { return .end }
      unread = UnsafeRawBufferPointer(rebasing: room[..<count])
      beginsRecord = false
    }
  }

  private mutating func take(_ byte: UInt8) -> Input? {
    switch telnet.take(byte) {
    case .character(let character):
      switch lines.append(character) {
      case .complete(let line): return .line(line)
      case .tooLong: return .tooLong
      case nil: return nil
      }
    case .eraseCharacter: lines.eraseByte()
    case .eraseLine: lines.clear()
    case .areYouThere: return .areYouThere
    case .nothing: break
    }
    return nil
  }
}
