import TestSupport
import Testing

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct EchoServiceTests {
  @Test(
    "sends back all it received, even after the client has ended its own direction",
    arguments: [0, 1, 65536, 1_000_000])
  func sendsBack(count: Int) throws {
    var random = SeededRandom(state: UInt64(count))
    let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    let client = try ServedClient(EchoService())
    let size = 50_000
    var received: [UInt8] = []
    for start in stride(from: 0, to: count, by: size) {
      let part = bytes[start..<min(count, start + size)]
      try client.send(part)
      received += try client.receive(part.count)
    }
    try client.endSending()
    received += try client.receiveAll()
    #expect(received == bytes)
    client.close()
    let outcome = client.outcome()
    #expect(outcome.failure == nil && outcome.bytesReceived == UInt64(count) && outcome.bytesSent == UInt64(count))
  }

  @Test("sends what came before a half-close after it")
  func keepsTheHalfClose() throws {
    let client = try ServedClient(EchoService())
    try client.send("last words")
    try client.endSending()
    #expect(try client.receiveText() == "last words")
  }

  @Test("ends quietly when the client goes away")
  func endsQuietly() throws {
    let client = try ServedClient(EchoService())
    try client.send("x")
    _ = try client.receive(1)
    client.close()
    #expect(client.outcome().failure == nil)
  }

  @Test("answers a datagram with itself", arguments: ["", "a", "\0\r\n", String(repeating: "z", count: 65_507)])
  func answersDatagrams(question: String) {
    #expect(answer(of: EchoService(), to: question) == Array(question.utf8))
  }

  @Test("does not answer a datagram that it could only cut")
  func doesNotCut() { #expect(answer(of: EchoService(), to: "12345", room: 4) == nil) }
}
