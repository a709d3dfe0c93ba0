import Testing

@testable import AgentService

@Suite struct AgentRequestTests {
  private static let longest = String(repeating: "s", count: 64)

  @Test(
    "is a name, or nothing for everything",
    arguments: [
      ("time\n", .service("time")), ("time\r\n", .service("time")), ("time", .service("time")),
      (" \ttime \n", .service("time")), ("a-b_9\nmore\n", .service("a-b_9")), ("", .everything), ("\n", .everything),
      ("\r\ntime\n", .everything), (" \n", .everything), ("two words\n", .unreadable), ("time,echo\n", .unreadable),
      ("GET / HTTP/1.1\r\n\r\n", .unreadable), ("\u{0}\n", .unreadable), ("é\n", .unreadable),
      (longest + "\r\n", .service(longest)), (longest + "\n", .service(longest)), (longest, .service(longest)),
      (longest + "ss", .unreadable), (longest + "s\n", .service(longest + "s")),
    ] as [(String, AgentRequest)])
  func isAName(text: String, expected: AgentRequest) { #expect(AgentRequest(Array(text.utf8)) == expected) }
}
