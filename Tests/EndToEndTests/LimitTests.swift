import Testing
@_spi(Begat) import UnixCore

/// How many clients there may be, and how long one may take.
@Suite(.timeLimit(.minutes(30)))
struct LimitTests {
  @Test func theThirdOfTwoWaits() throws {
    try withDaemon(SampleConfiguration.service("command", "max-connections = 2")) { daemon in
      let address = try daemon.address("command")
      let clients = try [session(address), session(address)]
      let third = try Client(address)
      #expect(!third.hears(within: .milliseconds(300)))
      #expect(daemon.log.lines(containing: "max-connections (2) reached; further clients wait").count == 1)
      try expectAlive(clients[1])
      clients[0].hangUp()
      #expect(try third.receive(until: Expected.prompt) == Expected.banner + Expected.prompt)
    }
  }

  @Test func aSilentClientEndsAtTheFirstByteTimeout() throws {
    try withDaemon(SampleConfiguration.service("command", "first-byte-timeout = \"1s\"")) { daemon in
      let client = try session(try daemon.address("command"))
      let talkative = try session(try daemon.address("command"))
      try talkative.send("h")
      try expectEnd(of: client, in: daemon, "first-byte-timeout")
      try talkative.send("elp\n")
      #expect(try talkative.receive(until: Expected.prompt) == Expected.help + Expected.prompt)
    }
  }

  @Test(arguments: ["command", "echo", "discard"])
  func anIdleClientEnds(of service: String) throws {
    try withDaemon(SampleConfiguration.service(service, "idle-timeout = \"1s\"")) { daemon in
      let client = try Client(try daemon.address(service))
      if service == "command" { _ = try client.receive(until: Expected.prompt) }
      try expectEnd(of: client, in: daemon, "idle-timeout")
    }
  }

  @Test func everyLineHasItsOwnTime() throws {
    try withDaemon(SampleConfiguration.service("command", "idle-timeout = \"1s\"")) { daemon in
      let client = try session(try daemon.address("command"))
      for _ in 0..<4 {
        #expect(!client.hears(within: .milliseconds(400)))
        try expectAlive(client)
      }
      try expectEnd(of: client, in: daemon, "idle-timeout")
    }
  }

  @Test func aDrippingClientEnds() throws {
    try withDaemon(SampleConfiguration.service("command", "idle-timeout = \"1s\"")) { daemon in
      let client = try session(try daemon.address("command"))
      let watch = Stopwatch()
      // A byte now and then never completes the line.
      while !client.hears(within: .milliseconds(150)), watch.elapsed < .seconds(5) { try? client.send("x") }
      #expect(watch.elapsed > .milliseconds(800) && watch.elapsed < .seconds(3))
      try daemon.log.awaitLines(containing: ", idle-timeout")
    }
  }

  @Test func aClientThatDoesNotReadEnds() throws {
    try withDaemon(SampleConfiguration.service("chargen", "idle-timeout = \"1s\"")) { daemon in
      let client = try Client(try daemon.address("chargen"))
      try daemon.log.awaitLines(containing: ", idle-timeout", within: .seconds(5))
      #expect(client.awaitEnd())
    }
  }

  private func expectEnd(
    of client: Client, in daemon: Daemon, _ limit: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let watch = Stopwatch()
    #expect(client.awaitEnd(within: .seconds(3)), sourceLocation: sourceLocation)
    #expect(watch.elapsed > .milliseconds(800), sourceLocation: sourceLocation)
    let line = try daemon.log.awaitLines(containing: "for \(try client.address()): ")[0]
    #expect(line.hasSuffix("bytes, \(limit)"), sourceLocation: sourceLocation)
  }
}
