import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Which datagrams are answered, and how often.
@Suite(.timeLimit(.minutes(30)))
struct DatagramLimitTests {
  private static func service(_ name: String, _ lines: String...) -> String {
    let sockets = "listen-stream = [\"127.0.0.1:0\"]\nlisten-datagram = [\"127.0.0.1:0\"]"
    return "[service.\(name)]\nserve = \"\(name)\"\n\(sockets)\n\(lines.joined(separator: "\n"))\n"
  }

  /// For those who ask more often than by default.
  private static let often = "rate-per-source = \"1000/s\""

  @Test(arguments: ["daytime", "time"])
  func oneSourceGetsTenASecond(from service: String) throws {
    try withDaemon(Self.service(service)) { daemon in
      let address = try daemon.address(service, datagram: true)
      let client = try DatagramClient(address, from: "127.0.0.2:0")
      let watch = Stopwatch()
      for _ in 0..<100 { try client.send([0]) }
      // Answers come in the order of the questions.
      #expect(try DatagramClient.ask(address, from: "127.0.0.3:0").count > 0)
      let seconds = Double(watch.elapsed.milliseconds + 1) / 1000
      let answers = try client.receiveAll()
      #expect(answers >= 2 && Double(answers) <= 2 + 10 * seconds + 1)

      let line = try daemon.log.awaitLines(containing: "rate-per-source: ")[0]
      #expect(line.contains("rate-per-source: \(100 - answers) datagrams not answered in "))
      let lines = daemon.log.lines(containing: "rate-per-source")
      #expect(lines.count == 2)
      #expect(lines[0].hasSuffix("rate-per-source (10/s) reached by 127.0.0.2: datagrams are not answered"))
      // It may ask again.
      #expect(try DatagramClient.ask(address, from: "127.0.0.2:0").count > 0)
    }
  }

  /// They have all arrived when the listener looks, so that it takes several batches.
  @Test func datagramsThatCameTogetherAreAnsweredOneByOne() throws {
    try withDaemon(Self.service("echo", Self.often, "allow = [\"127.0.0.0/8\"]", "deny = [\"127.0.0.9\"]")) { daemon in
      let address = try daemon.address("echo", datagram: true)
      let clients = try ["127.0.0.2:0", "127.0.0.9:0", "127.0.0.3:0"].map { try DatagramClient(address, from: $0) }
      let listener = try daemon.listener("echo")
      #expect(kill(listener, SIGSTOP) == 0)
      for number in 0..<50 {
        for (index, client) in clients.enumerated() { try client.send(Array("\(index): \(number)".utf8)) }
      }
      #expect(kill(listener, SIGCONT) == 0)
      for index in [0, 2] {
        let answers = try (0..<50).map { _ in
          String(decoding: try #require(try clients[index].receive()), as: UTF8.self)
        }
        #expect(answers == (0..<50).map { "\(index): \($0)" })
      }
      #expect(try clients[1].receive(within: .zero) == nil)
    }
  }

  @Test func allTogetherHaveARateToo() throws {
    try withDaemon(Self.service("time", "rate = \"20/m burst 20\"")) { daemon in
      let address = try daemon.address("time", datagram: true)
      let clients = try (1...30).map { try DatagramClient(address, from: "127.0.12.\($0):0") }
      let watch = Stopwatch()
      for client in clients { try client.send([0]) }
      // The same listener: when this is served, it has seen the datagrams.
      try awaitTurn(of: "time", in: daemon)
      let answered = try clients.count { try $0.receive(within: .zero) != nil }
      #expect(answered >= 20 && answered <= 21 + Int(watch.elapsed.milliseconds / 3000))
    }
  }

  @Test func datagramsUseUpNothingOfConnections() throws {
    try withDaemon(Self.service("time", "rate-per-source = \"3/h burst 3\"")) { daemon in
      let address = try daemon.address("time", datagram: true)
      let client = try DatagramClient(address, from: "127.0.0.2:0")
      for _ in 0..<50 { try client.send([0]) }
      let replies = try (0..<5).map { _ in try ask(daemon.address("time"), from: "127.0.0.2") }
      #expect(replies.count { Expected.isTime($0) } == 3)
      #expect(try eventually { try client.receive(within: .zero) != nil })
    }
  }

  @Test func onlyTheAllowedAreAnswered() throws {
    let allow = "allow = [\"127.0.5.0/24\"]"
    try withDaemon(Self.service("echo", allow) + Self.service("chargen", allow)) { daemon in
      for service in ["echo", "chargen"] {
        let address = try daemon.address(service, datagram: true)
        let stranger = try DatagramClient(address, from: "127.0.0.2:0")
        for _ in 0..<20 { try stranger.send([1]) }
        // Without an answer it throws; chargen's may be empty.
        _ = try DatagramClient.ask(address, [1], from: "127.0.5.1:0")
        #expect(try stranger.receive(within: .zero) == nil)
        #expect(try ask(daemon.address(service), from: "127.0.0.2") == [])
        try daemon.log.awaitLines(containing: "\(service): allow and deny: 20 datagrams not answered in ")
        #expect(
          daemon.log.lines(containing: "\(service): 127.0.0.2 is not allowed: datagrams are not answered").count == 1)
      }
    }
  }

  @Test(arguments: ["echo", "chargen", "fortune"])
  func whatCanBeAReflectorDoesNotStartWithoutAllow(_ service: String) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(Self.service(service), to: "begatd.toml")
    let begatd = try RunningProgram.run(try Programs.begatd(), ["--config", file])
    #expect(begatd.status == .exited(code: 78))
    #expect(
      begatd.errors.text.contains("begatd.toml:4:1: service.\(service).listen-datagram: "), "\(begatd.errors.text)")
  }

  @Test(.enabled(if: Machine.isRoot, "only root has ports below 1024"))
  func reservedPortsAreServersAndGetNoAnswer() throws {
    try withDaemon(Self.service("time", Self.often)) { daemon in
      let address = try daemon.address("time", datagram: true)
      for port in [1, 7, 13, 19, 37, 53, 1023] { try expectNoAnswer(from: "127.0.0.9:\(port)", to: address) }
      let client = try DatagramClient(address, from: "127.0.0.9:1024")
      try client.send([0])
      #expect(try client.receive() != nil)
    }
  }

  @Test func portsOfOurOwnGetNoAnswerWhoeverHasThem() throws {
    let allow = "allow = [\"127.0.0.0/8\"]"
    let configuration =
      Self.service("time", Self.often) + Self.service("daytime", Self.often) + Self.service("echo", allow, Self.often)
    try withDaemon(configuration) { daemon in
      for asked in ["time", "daytime", "echo"] {
        for owner in ["time", "daytime", "echo"] {
          let port = try daemon.port(owner, datagram: true)
          try expectNoAnswer(from: "127.0.0.9:\(port)", to: try daemon.address(asked, datagram: true))
        }
      }
    }
  }

  @Test func refusedDatagramsKeepNobodyAwake() throws {
    try withDaemon(Self.service("time", "deny = [\"127.0.0.2\"]")) { daemon in
      let listener = try daemon.listener("time")
      let client = try DatagramClient(daemon.address("time", datagram: true), from: "127.0.0.2:0")
      for _ in 0..<200 { try client.send([0]) }
      try awaitTurn(of: "time", in: daemon)
      _ = try daemon.awaitConnections(0, of: "time")
      let ticks = try #require(ProcessFacts(listener)?.processorTicks)
      #expect(try client.receive(within: .seconds(1)) == nil)
      let used = try #require(ProcessFacts(listener)?.processorTicks) - ticks
      #expect(Double(used) / Double(sysconf(CInt(_SC_CLK_TCK))) < 0.05, "the listener spins")
    }
  }

  /// What is cut, empty, or as large as a datagram can be.
  @Test func anyDatagramIsSurvived() throws {
    try withDaemon(Self.service("echo", "allow = [\"127.0.0.0/8\"]", "rate-per-source = \"1000/s\"")) { daemon in
      let address = try daemon.address("echo", datagram: true)
      for size in [0, 1, 511, 512, 513, 1472, 1473, 65_507] {
        let client = try DatagramClient(address)
        let question = [UInt8](repeating: 0xff, count: size)
        try client.send(question)
        let answer = try client.receive(within: .milliseconds(500))
        #expect(answer == nil || question.starts(with: answer!), "\(size)")
      }
      #expect(try DatagramClient.ask(address, [7]) == [7])
    }
  }

  private func awaitTurn(of service: String, in daemon: Daemon) throws {
    #expect(try ask(daemon.address(service), from: "127.0.0.77").count > 0)
  }

  /// Asserts that a question from there is thrown away, and that one from elsewhere is answered.
  private func expectNoAnswer(
    from source: String, to address: String, sourceLocation: SourceLocation = #_sourceLocation
  )
    throws
  {
    let client = try DatagramClient(address, from: source)
    try client.send([1])
    // Answers come in the order of the questions.
    let other = try DatagramClient.ask(address, [1], from: "127.0.0.10:0")
    #expect(other.count > 0, sourceLocation: sourceLocation)
    #expect(try client.receive(within: .zero) == nil, "from \(source)", sourceLocation: sourceLocation)
  }
}
