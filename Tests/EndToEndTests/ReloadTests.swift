import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Another configuration in force, without a client noticing.
@Suite(.timeLimit(.minutes(30)))
struct ReloadTests {
  /// Two configurations whose effect clients see.
  private struct Alternating {
    let texts: [String]
    static let answers = ["first fortune\r\n", "second fortune\r\n"]

    init(in directory: TemporaryDirectory, also others: String = "") throws {
      texts = try ["first", "second"].map { word in
        let database = try directory.write("\(word) fortune\n", to: word)
        return SampleConfiguration.service("fortune", "max-connections-per-source = 256", "log = \"problems\"")
          + "[service.fortune.fortune]\ndatabases = [\"\(database)\"]\n" + others
      }
    }
  }

  @Test func aChangedServiceLosesNoClient() throws {
    let directory = try TemporaryDirectory()
    let texts = try Alternating(in: directory, also: SampleConfiguration.service("time")).texts
    let daemon = try Daemon(texts[0], in: directory)
    let address = try daemon.address("fortune")
    let untouched = try daemon.listener("time")
    try daemon.reload(texts[1])
    #expect(eventually { daemon.generations("fortune").count == 1 })
    let descriptors = daemon.descriptorCount
    let clients = ContinuousClients(16, at: address) { Alternating.answers.contains($0) }
    for round in 0..<100 {
      let line = try daemon.reload(texts[round % 2])
      #expect(line.contains("changed fortune (fortune.databases); 1 service unchanged"), "\(line)")
      #expect(String(decoding: try ask(address), as: UTF8.self) == Alternating.answers[round % 2])
    }
    let (answers, problems) = try clients.stop()
    #expect(problems.isEmpty, "\(problems.count): \(problems.prefix(5))")
    #expect(Alternating.answers.allSatisfy { answers[$0, default: 0] > 100 }, "\(answers)")
    #expect(try daemon.listener("time") == untouched)
    #expect(Expected.isTime(try ask(daemon.address("time"))))
    #expect(eventually { daemon.generations("fortune").count == 1 })
    #expect(eventually { daemon.descriptorCount == descriptors }, "\(daemon.descriptorCount) not \(descriptors)")
    try daemon.stop()
  }

  @Test func anOpenConnectionGoesOnWithTheConfigurationBefore() throws {
    let configuration = SampleConfiguration.service("command")
    try withDaemon(configuration) { daemon in
      let client = try session(try daemon.address("command"))
      let old = try daemon.listener("command")
      try daemon.reload(configuration + "log = \"problems\"\n")
      #expect(daemon.generations("command").count == 2)
      try expectAlive(client)
      try client.send("quit\n")
      #expect(client.awaitEnd())
      client.hangUp()
      #expect(eventually { !daemon.generations("command").contains(old) })
    }
  }

  @Test func anEqualConfigurationTouchesNoListener() throws {
    let configuration = SampleConfiguration.service("echo") + SampleConfiguration.service("time")
    try withDaemon(configuration) { daemon in
      let listeners = try [daemon.listener("echo"), daemon.listener("time")]
      #expect(try daemon.reload("# The same.\n" + configuration).contains(": nothing has changed"))
      #expect(try [daemon.listener("echo"), daemon.listener("time")] == listeners)
    }
  }

  @Test func servicesAreAddedAndRemoved() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo.sock")
    let echo = "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(path)\"]\n"
    let time = SampleConfiguration.service("time")
    let daemon = try Daemon(time, in: directory)
    let old = try daemon.listener("time")
    #expect(try daemon.reload(echo + time).contains("added echo; 1 service unchanged"))
    let client = try Client(path)
    try client.send("through")
    #expect(try client.receive(count: 7) == Array("through".utf8))
    let waiting = try Client(path)
    #expect(try daemon.reload(time).contains("removed echo; 1 service unchanged"))
    #expect(throws: SystemCallError.self) { try Client(path) }
    #expect(!directory.exists("echo.sock"))
    // Both have connected before: they are served to their ends.
    for connected in [client, waiting] {
      try connected.send("still")
      #expect(try connected.receive(count: 5) == Array("still".utf8))
      try connected.endSending()
      #expect(connected.awaitEnd())
    }
    #expect(eventually { daemon.generations("echo").isEmpty })
    #expect(try daemon.listener("time") == old)
    try daemon.stop()
  }

  @Test func aServiceMayTakeOverTheSocketOfAnother() throws {
    let address = try FreePorts.addresses(1)[0]
    func configuration(_ name: String, _ builtIn: String) -> String {
      "[service.\(name)]\nserve = \"\(builtIn)\"\nlisten-stream = [\"\(address)\"]\n"
    }
    try withDaemon(configuration("one", "time")) { daemon in
      let clients = ContinuousClients(4, at: address) { $0.utf8.count == 4 || $0.utf8.count == 26 || !$0.isEmpty }
      try clients.await(more: 20)
      #expect(try daemon.reload(configuration("two", "daytime")).contains("added two; removed one"))
      try clients.await(more: 20)
      #expect(Expected.isDaytime(try ask(address)))
      let problems = try clients.stop().problems
      #expect(problems.isEmpty, "\(problems.prefix(5))")
    }
  }

  @Test func anAddressMayWidenAndNarrow() throws {
    let local = try FreePorts.addresses(1)[0]
    let port = try #require(local.split(separator: ":").last.map(String.init))
    func configuration(_ address: String) -> String {
      "[service.time]\nserve = \"time\"\nmax-connections-per-source = 256\nlisten-stream = [\"\(address)\"]\n"
    }
    try withDaemon(configuration(local)) { daemon in
      let clients = ContinuousClients(8, at: local) { !$0.isEmpty }
      for round in 0..<10 {
        try clients.await(more: 20)
        let wanted = round % 2 == 0 ? "0.0.0.0:\(port)" : local
        #expect(try daemon.reload(configuration(wanted)).contains("changed time (listen-stream)"))
      }
      try clients.await(more: 20)
      let problems = try clients.stop().problems
      #expect(problems.isEmpty, "\(problems.count): \(problems.prefix(5))")
      try daemon.reload(configuration("0.0.0.0:\(port)"))
      #expect(Expected.isTime(try ask("127.0.0.1:\(port)")))
      try daemon.reload(configuration(local))
      #expect(throws: SystemCallError.self) { try Client("127.0.0.1:\(port)") }
    }
  }

  @Test func keptSocketsHaveTheNewOptions() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("echo.sock")
    let echo = "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(path)\"]\n"
    let daemon = try Daemon(echo + "socket-mode = \"0600\"\n", in: directory)
    func mode() -> mode_t {
      var status = stat()
      return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
    let listener = try daemon.listener("echo")
    #expect(mode() == 0o600)
    #expect(try daemon.reload(echo + "socket-mode = \"0660\"\n").contains("changed echo (socket-mode)"))
    #expect(mode() == 0o660)
    try daemon.reload(echo)
    #expect(mode() == 0o666)
    #expect(try daemon.listener("echo") == listener)
    #expect(try ask(path, "x") == Array("x".utf8))
    try daemon.stop()
  }

  @Test func oneReloadAtATimeAndOnePending() throws {
    let directory = try TemporaryDirectory()
    let texts = try Alternating(in: directory).texts
    let daemon = try Daemon(texts[0], in: directory)
    let clients = ContinuousClients(8, at: try daemon.address("fortune")) { Alternating.answers.contains($0) }
    for number in 0..<1000 {
      if number % 10 == 0 { try daemon.rewrite(texts[number / 10 % 2]) }
      try daemon.program.send(.hangUp)
      // A thousand in four seconds.
      _ = poll(nil, 0, 3)
    }
    // The last signal has a reload after it.
    try daemon.rewrite(texts[1])
    try daemon.program.send(.hangUp)
    let address = try daemon.address("fortune")
    #expect(try eventually { String(decoding: try ask(address), as: UTF8.self) == Alternating.answers[1] })
    let problems = try clients.stop().problems
    #expect(problems.isEmpty, "\(problems.count): \(problems.prefix(5))")
    // How many depends on how long one takes, and is far from one for each signal.
    #expect(!daemon.reloads.isEmpty && daemon.reloads.count <= 100, "\(daemon.reloads.count)")
    try daemon.stop()
  }
}
