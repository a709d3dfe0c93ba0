import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct ReplyTests {
  @Test("arrives in order, whatever its size and its room", arguments: [1, 2, 7, 1024], [0, 1, 6, 7, 8, 5000])
  func arrivesInOrder(room: Int, size: Int) throws {
    let text = String((0..<size).map { Character(Unicode.Scalar(UInt8(65 + $0 % 26))) })
    let client = try ServedClient(ReplyingService(text: text, room: room))
    #expect(try client.receiveText() == text + text)
  }

  @Test("has CRLF at its lines' ends, whichever they had")
  func hasNetworkLines() throws {
    let client = try ServedClient(ReplyingService(text: "a\nb\r\n\nc\r", room: 3, asLines: true))
    #expect(try client.receiveText() == "a\r\nb\r\n\r\nc\r")
  }

  @Test("has them in whichever pieces its lines come", arguments: 1...6)
  func hasNetworkLinesInPieces(size: Int) throws {
    let client = try ServedClient(ReplyingService(text: "a\nb\r\n\nc\r\n", room: 3, asLines: true, pieces: size))
    #expect(try client.receiveText() == "a\r\nb\r\n\r\nc\r\n")
  }
}

private struct ReplyingService: NetworkService {
  let text: String
  let room: Int
  var asLines = false
  /// How many bytes of lines come at once.
  var pieces = Int.max

  func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    let bytes = Array(text.utf8)
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    try withBuffer(room) { (room) throws(ConnectionFailure) in
      var reply = Reply(in: room)
      if asLines {
        var rest = UnsafeRawBufferPointer(copy)
        while !rest.isEmpty {
          try reply.append(lines: UnsafeRawBufferPointer(rebasing: rest.prefix(pieces)), to: &connection)
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(pieces))
        }
      } else {
        try reply.append(text, to: &connection)
        try reply.append(UnsafeRawBufferPointer(copy), to: &connection)
      }
      try reply.send(to: &connection)
    }
  }
}
