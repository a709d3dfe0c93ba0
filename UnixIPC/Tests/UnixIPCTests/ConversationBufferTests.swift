import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ConversationBufferTests {
  private func append(_ text: String, to buffer: inout ConversationBuffer) {
    Array(text.utf8).withUnsafeBytes { buffer.append($0) }
  }

  @Test("keeps the newest bytes and counts the others")
  func keepsTheNewest() {
    var buffer = ConversationBuffer(limit: 5)
    append("abcdefgh", to: &buffer)
    #expect(buffer.count == 8)
    buffer.trim()
    #expect(Array(buffer.bytes) == Array("defgh".utf8))
    #expect(buffer.dropped == 3 && buffer.offset == 3)
    #expect(buffer.take(2) == Array("de".utf8))
    #expect(buffer.dropped == 3 && buffer.offset == 5)
    #expect(buffer.take(9) == Array("fgh".utf8))
    #expect(buffer.count == 0 && buffer.take(1).isEmpty)
  }

  @Test("finds bytes among those that it keeps")
  func finds() {
    var buffer = ConversationBuffer(limit: 64)
    #expect(buffer.find([]) == 0 && buffer.find([1]) == nil)
    append("abcabcd", to: &buffer)
    #expect(buffer.find(Array("abcd".utf8)) == 3)
    buffer.remove(1)
    #expect(buffer.find(Array("abc".utf8)) == 2)
    #expect(buffer.find(Array("abc".utf8), from: 3) == nil)
    #expect(buffer.find(Array("d".utf8), from: 5) == 5 && buffer.find([], from: 6) == 6)
  }

  @Test("has as much memory as its limit asks for, whatever passes")
  func staysSmall() {
    var buffer = ConversationBuffer(limit: 4096)
    var expected: UInt8 = 0
    for round in 0..<20_000 {
      let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 1000)
      piece.withUnsafeBytes { buffer.append($0) }
      buffer.trim()
      expected = UInt8(truncatingIfNeeded: round)
    }
    #expect(buffer.count == 4096 && buffer.bytes.last == expected)
    #expect(buffer.dropped == 20_000 * 1000 - 4096)
    // Positions inside the storage stay small too.
    #expect(buffer.bytes.endIndex < 16384)
  }
}
