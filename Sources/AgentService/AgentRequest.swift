import Settings

/// The service that a client asks about, in the line that HAProxy sends with `agent-send`.
enum AgentRequest: Hashable, Sendable {
  /// begatd and all of its services.
  case everything
  case service(String)
  /// The line is not a service name.
  case unreadable

  /// The longest line in bytes, including its end; a name has at most 64.
  static let maxLength = 66

  /// - Parameter bytes: all that came before the line's end, or before the time was over.
  init(_ bytes: [UInt8]) {
    let line = bytes.prefix { !AgentRequest.isEnd($0) }
    let blanks: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let name = line.drop { blanks.contains($0) }
    guard let last = name.lastIndex(where: { !blanks.contains($0) }) else {
      self = .everything
      return
    }
    let trimmed = name[...last]
    let isCut = line.count == bytes.count && bytes.count >= AgentRequest.maxLength
    self =
      !isCut && trimmed.allSatisfy(isServiceNameByte) ? .service(String(decoding: trimmed, as: UTF8.self)) : .unreadable
  }

  static func isEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
}
