import Testing
@_spi(Begat) import UnixCore

/// Sockets that systemd's own program passes.
@Suite(.timeLimit(.minutes(30)))
struct SocketActivationTests {
  @Test func listenerServesThePassedSocket() throws {
    let activated = try ActivatedProgram(
      [try Programs.listener(), "--serve", "hello"], addresses: FreePorts.addresses(1), names: ["hello"])
    #expect(try ask(activated.addresses[0]).starts(with: Array("Hello there, ".utf8)))
    try stop(activated)
  }

  @Test func begatdTakesSocketsByNameAndByAddress() throws {
    let directory = try TemporaryDirectory()
    let addresses = try FreePorts.addresses(3)
    let activated = try activate(
      """
      \(service("hello", at: "fd:a"))
      \(service("time", at: "fd:b"))
      \(service("daytime", at: addresses[2]))
      """, in: directory, addresses: addresses, names: ["a", "b", "c"])
    #expect(try ask(addresses[0]).starts(with: Array("Hello there, ".utf8)))
    #expect(Expected.isTime(try ask(addresses[1])))
    #expect(Expected.isDaytime(try ask(addresses[2])))
    let listening = try RunningProgram.tool("ss", ["-ltnH"]).output.lines
    for address in addresses {
      let count = listening.count { $0.split(separator: " ").dropFirst(3).first.map(String.init) == address }
      #expect(count == 1, "\(address) is bound \(count) times")
    }
    try stop(activated)
  }

  @Test func aServiceWhoseSocketWasNotPassedIsInactive() throws {
    let directory = try TemporaryDirectory()
    let addresses = try FreePorts.addresses(1)
    let activated = try activate(
      service("daytime", at: "fd:a") + service("time", at: "fd:missing"), in: directory, addresses: addresses,
      names: ["a"])
    #expect(Expected.isDaytime(try ask(addresses[0])))
    try activated.program.errors.awaitLines(
      containing: "time: no listening socket named missing was passed", within: .seconds(2))
    try stop(activated)
  }

  @Test func aSocketThatNobodyWantsIsClosed() throws {
    let directory = try TemporaryDirectory()
    let addresses = try FreePorts.addresses(2)
    let activated = try activate(
      service("daytime", at: "fd:a"), in: directory, addresses: addresses, names: ["a", "stranger"])
    #expect(Expected.isDaytime(try ask(addresses[0])))
    try activated.program.errors.awaitLines(
      containing: "passed socket \(addresses[1]) (stranger): no service has it; closed")
    #expect(throws: SystemCallError.self) { try Client(addresses[1]) }
    try stop(activated)
  }

  @Test func begatdAnswersOnAPassedDatagramSocket() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      "[service.time]\nserve = \"time\"\nlisten-datagram = [\"fd:t\"]\n", to: "begatd.toml")
    let activated = try ActivatedProgram(
      [try Programs.begatd(), "--config", file], addresses: FreePorts.addresses(1), names: ["t"], options: ["-d"])
    #expect(Expected.isTime(try DatagramClient.ask(activated.addresses[0])))
    try stop(activated)
  }

  private func service(_ name: String, at address: String) -> String {
    "[service.\(name)]\nserve = \"\(name)\"\nlisten-stream = [\"\(address)\"]\n"
  }

  private func activate(_ configuration: String, in directory: TemporaryDirectory, addresses: [String], names: [String])
    throws -> ActivatedProgram
  {
    let file = try directory.write(configuration, to: "begatd.toml")
    return try ActivatedProgram([try Programs.begatd(), "--config", file], addresses: addresses, names: names)
  }

  private func stop(_ activated: ActivatedProgram, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let processes = ProcessFacts.descendants(of: activated.program.process)
    try activated.program.send(.terminate)
    let errors = activated.program.errors
    #expect(try activated.program.awaitEnd() == .exited(code: 0), "\(errors.text)", sourceLocation: sourceLocation)
    #expect(errors.awaitEnd(within: .seconds(2)), "a process is left", sourceLocation: sourceLocation)
    #expect(eventually { !processes.contains(where: \.isThere) }, "a process is left", sourceLocation: sourceLocation)
  }
}
