import Foundation
import Testing
@_spi(Begat) import UnixCore

/// Processes that are forked before their clients come.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct SpareTests {
  private func withListener(_ service: String, _ options: [String], _ body: (StandaloneListener, Spares) throws -> Void)
    throws
  {
    let address = ["--listen-stream", "127.0.0.1:0", "--log-rate", "none"]
    let listener = try StandaloneListener(service, address + options)
    try body(listener, Spares(of: listener.program.process))
    try listener.stop()
  }

  /// Clients of `time` at the same time.
  private func visit(_ listener: StandaloneListener, _ count: Int) throws {
    for client in try (0..<count).map({ _ in try Client(listener.address) }) {
      #expect(Expected.isTime(try client.receiveAll()))
    }
  }

  @Test func areThereFromTheFirstClientOn() throws {
    try withListener("daytime", ["--spare-processes", "4"]) { listener, spares in
      #expect(ProcessFacts.children(of: listener.program.process).isEmpty)
      #expect(Expected.isDaytime(try ask(listener.address)))
      #expect(eventually { !spares.all.isEmpty })
      for _ in 0..<20 { #expect(Expected.isDaytime(try ask(listener.address))) }
      try listener.program.errors.awaitLines(21, containing: ", sent 26 bytes, complete")
      #expect(spares.all.count <= 4)
    }
  }

  @Test func areNotThereWhereNoneAreWanted() throws {
    try withListener("time", ["--spare-processes", "0"]) { listener, _ in
      for _ in 0..<5 { try visit(listener, 10) }
      #expect(eventually { ProcessFacts.children(of: listener.program.process).isEmpty })
    }
  }

  /// A spare is seen by ps, and no connection of it by begat.
  @Test func areNoConnections() throws {
    try withDaemon(SampleConfiguration.service("command", "spare-processes = 3")) { daemon in
      let client = try Client(try daemon.address("command"))
      _ = try client.receive(until: Expected.prompt)
      let listener = try daemon.listener("command")
      #expect(eventually { !Spares(of: listener).all.isEmpty })
      let second = try Client(try daemon.address("command"))
      _ = try second.receive(until: Expected.prompt)
      let answer = try json(try daemon.begat("ps", "--json"), as: [String: Any].self)
      let connections = try #require(answer["connections"] as? [[String: Any]])
      #expect(Set(connections.compactMap { $0["peer"] as? String }) == [try client.address(), try second.address()])
      let title = "begat-listener: command \(try second.address())"
      #expect(ProcessFacts.children(of: listener).contains { $0.title == title })
      let end = try daemon.begat("end", "\(try #require(connections.last?["pid"] as? Int))")
      #expect(end.status == .exited(code: 0))
    }
  }

  @Test(arguments: [1, 5, 20])
  func admitExactlyAsManyOfASourceAsTheyMay(limit: Int) throws {
    let options = ["--spare-processes", "16", "--max-connections-per-source", "\(limit)", "--refusal", "no"]
    try withListener("command", options) { listener, spares in
      for round in 0..<4 {
        let crowd = try Crowd(200, at: listener.address, from: "127.0.0.2")
        #expect(crowd.served.count == limit, "round \(round)")
        #expect(crowd.refused == [String](repeating: "no\r\n", count: 200 - limit))
        let other = try Crowd(min(limit, 16), at: listener.address, from: "127.0.0.3")
        #expect(other.refused.isEmpty)
        crowd.hangUp()
        other.hangUp()
        // A second without refusals, after which spares accept again, is over on a slow machine.
        try awaitPlaces(listener)
      }
    }
  }

  /// Waits until all connections have ended.
  private func awaitPlaces(_ listener: StandaloneListener) throws {
    #expect(
      eventually {
        ProcessFacts.children(of: listener.program.process).filter { !$0.isSpare }.isEmpty
      })
  }

  @Test(arguments: [1, 3])
  func letClientsWaitWhileTheServiceIsFull(limit: Int) throws {
    try withListener("command", ["--spare-processes", "8", "--max-connections", "\(limit)"]) { listener, _ in
      for _ in 0..<3 {
        var clients = try (0..<12).map { _ in try Client(listener.address) }
        while !clients.isEmpty {
          // The backlog is first come, first served, but spares that have accepted may be overtaken.
          let served = clients.filter { $0.hears(within: .milliseconds(clients.count == 12 ? 200 : 1)) }
          #expect(served.count <= limit)
          for client in served { client.hangUp() }
          clients.removeAll { client in served.contains { $0 === client } }
        }
      }
    }
  }

  @Test func giveAPlaceBackWhenTheyAreKilled() throws {
    try withListener("command", ["--spare-processes", "4", "--max-connections-per-source", "3"]) { listener, spares in
      for _ in 0..<10 {
        let crowd = try Crowd(3, at: listener.address, from: "127.0.0.2")
        #expect(crowd.served.count == 3)
        for facts in ProcessFacts.children(of: listener.program.process) where !facts.isSpare {
          try Signal.kill.send(to: facts.process)
        }
        #expect(crowd.served.allSatisfy { $0.awaitEnd() })
        try awaitPlaces(listener)
      }
    }
  }

  @Test func areReplacedWhenTheyAreKilled() throws {
    try withListener("time", ["--spare-processes", "4"]) { listener, spares in
      for facts in try spares.grow(to: 4, { try visit(listener, 12) }) {
        // One may have served a client of the turn before.
        try? Signal.kill.send(to: facts.process)
        try visit(listener, 2)
      }
      // The listener has accepted meanwhile; after a calm second spares do.
      _ = try spares.grow(to: 4) { try visit(listener, 6) }
    }
  }

  /// Stopped ones would take no client and keep others from being made.
  @Test func areReplacedWhenTheyAreStopped() throws {
    try withListener("time", ["--spare-processes", "4"]) { listener, spares in
      let former = try spares.grow(to: 4) { try visit(listener, 12) }
      for facts in former { try? Signal.stop.send(to: facts.process) }
      try visit(listener, 20)
      #expect(eventually { former.allSatisfy { !$0.isThere } })
    }
  }

  /// A signal that comes before the client ends no client's connection.
  @Test func endBySignalsBeforeTheyHaveAClient() throws {
    try withListener("time", ["--spare-processes", "4"]) { listener, spares in
      for signal in [Signal.terminate, .quit, .interrupt, .hangUp] {
        for facts in try spares.grow(to: 4, { try visit(listener, 12) }) { try? signal.send(to: facts.process) }
        try visit(listener, 20)
      }
    }
  }

  @Test func mayAllBeKilledAtOnce() throws {
    try withListener("time", ["--spare-processes", "4"]) { listener, spares in
      let former = try spares.grow(to: 4) { try visit(listener, 12) }
      for facts in former { try Signal.kill.send(to: facts.process) }
      try visit(listener, 20)
      #expect(eventually { former.allSatisfy { !$0.isThere } })
    }
  }

  /// A listening socket wakes one of the processes that wait at it, not all.
  @Test func areNotAllWokenByOneClient() throws {
    try withListener("time", ["--spare-processes", "16", "--listen-stream", "127.0.0.1:0"]) { listener, spares in
      let all = try spares.grow(to: 16) { try visit(listener, 30) }
      // One that waits for the lock or the gate sleeps too, and is woken once more.
      var before: [Int] = []
      let areCalm = eventually {
        let former = before
        before = all.compactMap { Spares.switches(of: $0.process) }
        return before.count == 16 && before == former
      }
      try #require(areCalm)
      try visit(listener, 1)
      var woken = 0
      for (facts, switches) in zip(all, before) where Spares.switches(of: facts.process) != switches { woken += 1 }
      // The one that has served has perhaps ended without a further wait.
      #expect(woken <= 2, "\(woken) were woken")
    }
  }

  @Test func serveTheirClientsWhenTheyAreToldToStopMeanwhile() throws {
    for _ in 0..<10 {
      // A connection counts until its process has ended.
      let options = ["--spare-processes", "8", "--max-connections-per-source", "100"]
      let listener = try StandaloneListener("time", ["--listen-stream", "127.0.0.1:0"] + options)
      try visit(listener, 10)
      let clients = try (0..<30).map { _ in try Client(listener.address) }
      try listener.program.send(.terminate)
      for client in clients { #expect(Expected.isTime(try client.receiveAll())) }
      try listener.stop()
    }
  }

  /// A spare that serves has no more memory of its listener than a process that was forked for its client.
  @Test func keepNothingOfTheirListeners() throws {
    func belongings(_ process: pid_t) throws -> (maps: [String], descriptors: [String]) {
      let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n")
      let ours = maps.filter { $0.contains(" rw-") || $0.contains(" r--s ") || $0.contains("memfd:") }
        .map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
      // The client's has the lowest number that was free.
      return (ours, ProcessFacts.descriptors(of: process).values.map { "\($0.prefix { $0 != ":" })" }.sorted())
    }
    try withDaemon(SampleConfiguration.service("command", "spare-processes = 2")) { daemon in
      let first = try Client(try daemon.address("command"))
      _ = try first.receive(until: Expected.prompt)
      let forked = try #require(try daemon.connections("command").first).process
      let listener = try daemon.listener("command")
      #expect(eventually { Spares(of: listener).all.count == 2 && Spares(of: listener).areAsleep })
      let spares = Spares(of: listener).all.map(\.process)
      let second = try Client(try daemon.address("command"))
      _ = try second.receive(until: Expected.prompt)
      let served = try #require(try daemon.awaitConnections(2, of: "command").first { spares.contains($0) })
      #expect(try belongings(served).maps == (try belongings(forked).maps))
      #expect(try belongings(served).descriptors == (try belongings(forked).descriptors))
      #expect(!(try belongings(served).maps.contains { $0.contains("begat-admission") || $0.contains("begat-bans") }))
      // The comparison means something: a waiting one has it.
      let waiting = try #require(Spares(of: listener).all.first)
      #expect(try belongings(waiting.process).maps.contains { $0.contains("begat-admission") })
    }
  }

  @Test(
    "that are killed while they hold the lock for admission delay no client",
    .enabled(if: Spares.canBeProbed, "needs root and the registers of x86-64"))
  func leaveNoLockBehind() throws {
    let options = ["--spare-processes", "2", "--max-connections-per-source", "3"]
    try withListener("command", options) { listener, spares in
      for _ in 0..<3 {
        let all = try spares.grow(to: 2) {
          let crowd = try Crowd(3, at: listener.address, from: "127.0.0.2")
          #expect(crowd.served.count == 3)
          crowd.hangUp()
          try awaitPlaces(listener)
        }
        let holder = all[0].process
        try Spares.takeLock(holder)
        try Signal.kill.send(to: holder)
        let crowd = try Crowd(10, at: listener.address, from: "127.0.0.2")
        #expect(crowd.served.count == 3 && crowd.refused.count == 7)
        crowd.hangUp()
        try awaitPlaces(listener)
      }
    }
  }
}
