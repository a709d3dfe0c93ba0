import Testing

/// Where a client of a stream service may come from.
private enum Place: String, CaseIterable, CustomTestStringConvertible {
  case ipv4 = "127.0.0.1:"
  case ipv6 = "[::1]:"
  case path = "/"
  case abstract = "@"

  var testDescription: String { "at \(rawValue)" }
}

@Suite(.timeLimit(.minutes(30)))
struct BuiltInServiceTests {
  @Test(arguments: Place.allCases)
  private func repliesExactly(at place: Place) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      func address(_ service: String) throws -> String { try daemon.address(service, place.rawValue) }

      #expect(Expected.isDaytime(try ask(address("daytime"))))
      #expect(Expected.isTime(try ask(address("time"))))
      #expect(try ask(address("echo"), "one\0two\r\n") == Array("one\0two\r\n".utf8))
      #expect(try ask(address("discard"), "into the void") == [])
      #expect(try text(ask(address("fortune"))) == Expected.networkFortune)
      try checkGreeting(text(ask(address("hello"))), at: place)
      try checkPattern(address("chargen"))
      try checkCommands(address("command"))
    }
  }

  private func checkGreeting(_ reply: String, at place: Place) throws {
    let name =
      switch place {
      case .ipv4: (HostsFile.name(of: "127.0.0.1") ?? "127.0.0.1") + ", "
      case .ipv6: (HostsFile.name(of: "::1") ?? "::1") + ", "
      case .path, .abstract: ""
      }
    let beginning = "Hello there, \(name)it's now "
    let end = "\r\n\(Expected.networkFortune)"
    let time = reply.dropFirst(beginning.count).dropLast(end.count)
    #expect(reply == beginning + time + end)
    #expect(Expected.isNow(String(time)))
  }

  private func checkPattern(_ address: String) throws {
    let client = try Client(address)
    // The pattern repeats after 95 lines of 74 bytes.
    let bytes = try client.receive(count: 3 * 95 * 74)
    #expect(bytes == Expected.pattern(bytes.count))
  }

  private func checkCommands(_ address: String) throws {
    let client = try Client(address)
    #expect(try client.receive(until: Expected.prompt) == Expected.banner + Expected.prompt)
    try client.send("HELP\r\n")
    #expect(try client.receive(until: Expected.prompt) == Expected.help + Expected.prompt)
    try client.send("cookie\nquit\n")
    #expect(try client.receiveText() == Expected.networkFortune + Expected.prompt)
  }

  @Test(arguments: ["127.0.0.1:", "[::1]:"])
  func answersDatagrams(at place: String) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      func address(_ service: String) throws -> String { try daemon.address(service, place, datagram: true) }

      #expect(Expected.isDaytime(try DatagramClient.ask(address("daytime"))))
      #expect(Expected.isTime(try DatagramClient.ask(address("time"))))
      #expect(Expected.isTime(try DatagramClient.ask(address("time"), [])), "RFC 868 asks with an empty datagram")
      #expect(try DatagramClient.ask(address("echo"), Array("echo".utf8)) == Array("echo".utf8))
      #expect(try text(DatagramClient.ask(address("fortune"))) == Expected.networkFortune)
      let pattern = try DatagramClient.ask(address("chargen"))
      #expect(pattern.count <= 512 && pattern == Expected.pattern(pattern.count))

      let discarding = try DatagramClient(address("discard"))
      try discarding.send([1, 2, 3])
      // The listener of discard takes them in turn: when the connection is served, the datagram is gone too.
      _ = try ask(daemon.address("discard"), "x")
      #expect(try discarding.receive(within: .zero) == nil)
    }
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
