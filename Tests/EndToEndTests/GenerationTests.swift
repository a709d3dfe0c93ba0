import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Listeners of one service that live at the same time.
@Suite(.timeLimit(.minutes(30)))
struct GenerationTests {
  private static func command(_ number: Int) -> String {
    SampleConfiguration.service("command", "max-connections = \(100 + number)")
  }

  @Test func theFifthEndsTheOldest() throws {
    try withDaemon(Self.command(0)) { daemon in
      let address = try daemon.address("command")
      var clients = [try session(address)]
      for number in 1...3 {
        try daemon.reload(Self.command(number))
        clients.append(try session(address))
      }
      #expect(daemon.generations("command").count == 4)
      let oldest = daemon.generations("command")[0]
      try daemon.reload(Self.command(4))
      #expect(clients[0].awaitEnd(within: .seconds(2)))
      try daemon.log.awaitLines(containing: "command: listener \(oldest) drains since 3 changes")
      #expect(daemon.log.lines(containing: "ended with its 1 connection,").count == 1)
      for client in clients.dropFirst() { try expectAlive(client) }
      clients.append(try session(address))
      #expect(daemon.generations("command").count == 4)
      for client in clients { client.hangUp() }
      #expect(eventually { daemon.generations("command").count == 1 })
    }
  }

  @Test func aListenerThatIsStoppedFromOutsideHasASuccessorWhileItDrains() throws {
    try withDaemon(Self.command(0)) { daemon in
      let address = try daemon.address("command")
      let client = try session(address)
      let old = try daemon.listener("command")
      try Signal.terminate.send(to: old)
      let next = try session(address)
      try daemon.log.awaitLines(containing: "command: listener \(old) was stopped by another process")
      // A spare of the old listener may have taken the second client: then the successor is only about to start.
      #expect(eventually { daemon.generations("command").count == 2 })
      try expectAlive(client)
      try expectAlive(next)
      client.hangUp()
      next.hangUp()
      #expect(eventually { !daemon.generations("command").contains(old) })
    }
  }

  @Test func theSecondSignalEndsAllOfThem() throws {
    try withDaemon(Self.command(0)) { daemon in
      let first = try session(try daemon.address("command"))
      try daemon.reload(Self.command(1))
      let second = try session(try daemon.address("command"))
      try daemon.program.send(.terminate)
      try daemon.log.awaitLines(containing: "begatd: stopping")
      try expectAlive(first)
      try expectAlive(second)
      let watch = Stopwatch()
      try daemon.program.send(.terminate)
      try daemon.awaitEnd(within: .seconds(4))
      #expect(watch.elapsed < .seconds(2), "\(watch.elapsed)")
      #expect(first.awaitEnd(within: .seconds(1)) && second.awaitEnd(within: .seconds(1)))
    }
  }

  @Test func limitsHoldOverAHandover() throws {
    func configuration(_ number: Int) -> String {
      SampleConfiguration.service(
        "command", "max-connections = \(100 + number)", "max-connections-per-source = 2", "refusal = \"full\"")
    }
    try withDaemon(configuration(0)) { daemon in
      let address = try daemon.address("command")
      var held = try [session(address)]
      for number in 1...6 {
        try daemon.reload(configuration(number))
        // One of the two is a former listener's.
        held.append(try session(address))
        #expect(String(decoding: try ask(address), as: UTF8.self).hasPrefix("full"), "\(number)")
        held.removeFirst().hangUp()
        #expect(
          try eventually {
            try Client(address).receiveUntilEnd(or: Expected.prompt).text == Expected.banner + Expected.prompt
          })
      }
      for client in held { client.hangUp() }
    }
  }

  @Test func aRateHoldsOverReloads() throws {
    func configuration(_ number: Int) -> String {
      SampleConfiguration.service(
        "time", "max-connections = \(100 + number)", "rate-per-source = \"1/h burst 5\"")
    }
    try withDaemon(configuration(0)) { daemon in
      let address = try daemon.address("time")
      var served = 0
      for number in 0..<20 {
        if number > 0 { try daemon.reload(configuration(number)) }
        for _ in 0..<2 { if Expected.isTime((try? ask(address)) ?? []) { served += 1 } }
      }
      #expect(served == 5)
    }
  }
}
