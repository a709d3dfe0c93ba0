import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct ConnectionTests {
  @Test("counts what it receives and sends, what it threw away at the end too")
  func counts() throws {
    let client = try ServedClient(PiecesService(reply: "123"))
    try client.send("ab")
    #expect(try client.receiveText() == "123")
    try client.send("unread")
    try client.endSending()
    let outcome = client.outcome()
    #expect(outcome.bytesReceived == 8 && outcome.bytesSent == 3 && outcome.failure == nil)
    #expect(outcome.waitedFor == .close)
  }

  @Test("delivers its reply whole to a client that has sent much and reads late")
  func deliversWhole() throws {
    for _ in 0..<50 {
      let client = try ServedClient(PiecesService(reply: String(repeating: "r", count: 20_000)))
      try client.send([UInt8](repeating: 1, count: 65536))
      #expect(try client.receiveAll().count == 20_000)
      client.close()
      #expect(client.outcome().failure == nil)
    }
  }

  @Test("says that the client is gone, whichever way it went")
  func saysThatTheClientIsGone() throws {
    let closing = try ServedClient(ChargenService())
    closing.close()
    #expect(closing.outcome().failure == .clientClosed)
    for code in [ErrorCode.connectionReset, .brokenPipe] {
      #expect(ConnectionFailure(SystemCallError("send", code: code)) == .clientClosed)
    }
    let other = SystemCallError("send", code: .noMemory)
    #expect(ConnectionFailure(other) == .call(other))
  }

  @Test("is the same over a pair of pipes")
  func worksOverPipes() throws {
    let input = try PipeEnds()
    let output = try PipeEnds()
    let reading = output.readEnd
    let side = ServiceSide()
    do {
      let writing = input.writeEnd
      try writing.writeAll("through pipes")
    }
    var connection = Connection(
      input: input.readEnd, output: output.writeEnd, peer: Peer(address: nil), tally: side.tally)
    side.serve(EchoService(), &connection)
    _ = consume connection
    #expect(side.failure == nil && side.bytesReceived == 13 && side.bytesSent == 13)
    withUnsafeTemporaryAllocation(byteCount: 100, alignment: 1) { room in
      #expect((try? reading.read(into: room)) == 13)
      #expect(String(decoding: room[..<13], as: UTF8.self) == "through pipes")
      #expect((try? reading.read(into: room)) == 0)
    }
  }
}

/// Receives once, replies, and is done.
private struct PiecesService: NetworkService {
  let reply: String

  func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    let bytes = Array(reply.utf8)
    try withBuffer(2) { (room) throws(ConnectionFailure) in _ = try connection.receive(into: room) }
    try withBuffer(bytes.count) { (room) throws(ConnectionFailure) in
      room.copyBytes(from: bytes)
      try connection.send(UnsafeRawBufferPointer(room))
    }
  }
}
