import Testing

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct DiscardServiceTests {
  @Test("takes everything and sends nothing")
  func sendsNothing() throws {
    let client = try ServedClient(DiscardService())
    try client.send([UInt8](repeating: 1, count: 1_000_000))
    try client.endSending()
    #expect(try client.receiveAll() == [])
    client.close()
    let outcome = client.outcome()
    #expect(outcome.bytesReceived == 1_000_000 && outcome.bytesSent == 0 && outcome.failure == nil)
  }

  @Test("answers no datagram", arguments: ["", "x"])
  func answersNoDatagram(question: String) { #expect(answer(of: DiscardService(), to: question) == nil) }
}
