import Testing

/// Bytes that nobody asked for must not destroy the reply.
@Suite(.timeLimit(.minutes(10)))
struct UnreadInputTests {
  @Test(arguments: ["hello", "fortune", "daytime", "time", "command"], ["127.0.0.1:", "/"])
  func theReplyIsWhole(of service: String, at place: String) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let address = try daemon.address(service, place)
      let unasked = (service == "command" ? "quit\n" : "") + String(repeating: "unasked\n", count: 12_500)
      for _ in 0..<50 {
        let client = try Client(address)
        try client.send(unasked)
        let reply = try client.receiveAll()
        #expect(isWhole(reply, of: service), "\(String(decoding: reply, as: UTF8.self))")
      }
    }
  }

  private func isWhole(_ reply: [UInt8], of service: String) -> Bool {
    let text = String(decoding: reply, as: UTF8.self)
    return switch service {
    case "hello": text.hasPrefix("Hello there, ") && text.hasSuffix("\r\n" + Expected.networkFortune)
    case "fortune": text == Expected.networkFortune
    case "daytime": Expected.isDaytime(reply)
    case "time": Expected.isTime(reply)
    default: text == Expected.banner + Expected.prompt
    }
  }
}
