/// Characters without end, for as long as the client takes them.
///
/// Lines of 72 printing characters and CRLF; the 95 printing characters of ASCII form a ring, on which each line starts
/// one further than the line before.
///
/// Source: RFC 864.
public struct ChargenService: DatagramService {
  private static let lineLength = 74
  /// After as many lines the pattern repeats.
  private static let ringLength = 95
  private static let longestAnswer = 512

  public init() {}

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(ChargenService.lineLength * ChargenService.ringLength) { (buffer) throws(ConnectionFailure) in
      ChargenService.fill(buffer)
      while true {
        try connection.send(UnsafeRawBufferPointer(buffer))
        // A client that has only ended its own direction still listens.
        _ = try connection.discardInput()
      }
    }
  }

  /// A datagram of the pattern's beginning, of a random length from 0 to 512.
  public func answer(_ question: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int? {
    let length = Int.random(in: 0...min(ChargenService.longestAnswer, room.count))
    ChargenService.fill(UnsafeMutableRawBufferPointer(rebasing: room[..<length]))
    return length
  }

  /// Fills the buffer with the pattern from its first line on.
  static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    for index in buffer.indices {
      let (line, column) = index.quotientAndRemainder(dividingBy: lineLength)
      switch column {
      case lineLength - 2: buffer[index] = UInt8(ascii: "\r")
      case lineLength - 1: buffer[index] = UInt8(ascii: "\n")
      default: buffer[index] = UInt8(ascii: " ") + UInt8((line + column) % ringLength)
      }
    }
  }
}
