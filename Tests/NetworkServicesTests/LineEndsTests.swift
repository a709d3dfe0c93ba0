import Testing

@testable import NetworkServices

@Suite struct LineEndsTests {
  /// The text expanded in pieces of a size, each in a room whose second half it lies in.
  private func expanded(_ text: String, pieces size: Int) -> String {
    var ends = LineEnds()
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(size))
      rest = rest.dropFirst(size)
      var room = [UInt8](repeating: 0, count: piece.count) + piece
      let length = room.withUnsafeMutableBytes { room in
        ends.expand(UnsafeRawBufferPointer(rebasing: room[piece.count...]), into: room)
      }
      result += room[..<length]
    }
    return String(decoding: result, as: UTF8.self)
  }

  @Test("get the CR that they lack, in whichever pieces the text comes", arguments: 1...9)
  func getTheirReturn(size: Int) {
    #expect(expanded("a\nb\r\n\n\nc\r", pieces: size) == "a\r\nb\r\n\r\n\r\nc\r")
    #expect(expanded("\n\n\n\n\n\n\n\n", pieces: size) == String(repeating: "\r\n", count: 8))
    #expect(expanded("\r\r\n\rx\n", pieces: size) == "\r\r\n\rx\r\n")
  }
}
