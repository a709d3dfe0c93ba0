import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct CommandLineReaderTests {
  private typealias Input = CommandLineReader.Input

  /// Everything that is read from pieces, each read on its own: the pair of sockets keeps them apart.
  private func inputs(_ pieces: [[UInt8]]) throws -> [Input] {
    let pair = try SocketPair(kind: .sequencedPacket)
    let client = pair.first
    for piece in pieces where !piece.isEmpty { _ = try piece.withUnsafeBytes { try client.send($0) } }
    try client.shutDownSending()
    let side = ServiceSide()
    var connection = Connection(socket: pair.second, peer: Peer(address: nil), tally: side.tally)
    var found: [Input] = []
    try withBuffer(8192) { (room) throws(ConnectionFailure) in
      var reader = CommandLineReader(room: room)
      try withBuffer(16) { (output) throws(ConnectionFailure) in
        var reply = Reply(in: output)
        repeat { found.append(try reader.next(from: &connection, after: &reply)) } while found.last != .end
      }
    }
    return found
  }

  private func line(_ text: String) -> Input { .line(UntrustedBytes(text: text)) }

  @Test("gives the same lines wherever the input is split")
  func isTheSameWhereverSplit() throws {
    let input =
      Array("da".utf8) + [255, 253, 1] + Array("te\r\n".utf8) + [255, 250, 24, 10, 255, 240] + Array("x\r".utf8)
      + [0, 255, 246] + Array("y\nabc".utf8) + [255, 247] + Array("\n".utf8)
    let expected = [line("date"), line("x"), .areYouThere, line("y"), line("ab"), .end]
    for split in 0...input.count {
      #expect(try inputs([Array(input[..<split]), Array(input[split...])]) == expected, "split at \(split)")
    }
    #expect(try inputs(input.map { [$0] }) == expected)
  }

  @Test("takes 512 bytes and no more, and goes on after the line's end")
  func boundsLines() throws {
    let longest = String(repeating: "x", count: 512)
    let input = "\(longest)\n\(longest)\r\n\(longest)y\nquit\n\(String(repeating: "quit ", count: 1000))\nquit\r\n"
    #expect(
      try inputs([Array(input.utf8)]) == [
        line(longest), line(longest), .tooLong, line("quit"), .tooLong, line("quit"), .end,
      ])
  }

  @Test("forgets a line that an interrupt erases, too long or not")
  func forgetsErasedLines() throws {
    let input =
      Array("quit".utf8) + [255, 244] + Array("date\n".utf8) + [UInt8](repeating: 65, count: 600) + [255, 248]
    #expect(try inputs([input + Array("who\n".utf8)]) == [line("date"), line("who"), .end])
  }

  @Test("takes no line that has no end")
  func takesNoUnfinishedLine() throws { #expect(try inputs([Array("quit".utf8)]) == [.end]) }
}
