import Glibc
import Testing

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct DaytimeServiceTests {
  /// The line as it may have been made from `before` until now.
  private func isDaytime(_ bytes: [UInt8], since before: Int64) -> Bool {
    (before...(CalendarTime.now())).contains { seconds in
      withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
        Array(DaytimeService.line(seconds, in: room)) == bytes
      }
    }
  }

  @Test("sends 26 bytes: ctime's line and CRLF, then ends")
  func sendsALine() throws {
    let before = CalendarTime.now()
    let client = try ServedClient(DaytimeService())
    let bytes = try client.receiveAll()
    #expect(bytes.count == 26 && bytes.suffix(2) == [13, 10])
    #expect(isDaytime(bytes, since: before), "\(bytes)")
    client.close()
    #expect(client.outcome().bytesSent == 26)
  }

  @Test("reaches a client whole that has sent what nobody reads")
  func reachesATalkingClient() throws {
    let client = try ServedClient(DaytimeService())
    try client.send([UInt8](repeating: 7, count: 65536))
    #expect(try client.receiveAll().count == 26)
    client.close()
    #expect(client.outcome().failure == nil)
  }

  @Test("answers any datagram with the line", arguments: ["", "x", String(repeating: "y", count: 60_000)])
  func answersDatagrams(question: String) throws {
    let before = CalendarTime.now()
    #expect(isDaytime(try #require(answer(of: DaytimeService(), to: question)), since: before))
  }
}
