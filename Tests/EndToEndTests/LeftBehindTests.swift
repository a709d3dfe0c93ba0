import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Listeners whose begatd has ended: the next one shows them, ends their connections, and logs them.
@Suite(.timeLimit(.minutes(30)))
struct LeftBehindTests {
  private func started(_ text: ((TemporaryDirectory) -> String)? = nil) throws -> StoringManager {
    let directory = try TemporaryDirectory()
    let manager = try StoringManager(in: directory)
    try manager.start(text?(directory) ?? StoredServices.configuration(directory))
    return manager
  }

  @Test(arguments: [true, false]) func theirConnectionsAreShownAndEndedAndLogged(isKilled: Bool) throws {
    let manager = try started()
    let idle = try StoredServices.names.filter { $0 != "unix" }.map { try IdleClient($0, manager) }
    try isKilled ? manager.killAndStart() : manager.restart()
    for connection in idle {
      let address = try connection.client.address()
      let row = try #require(try manager.connections()[address], "\(manager.log)")
      // By its number, by its process, and by its source in turn.
      let words: [String] =
        switch connection.service {
        case "echo": [try #require(row["id"] as? String)]
        case "cat": ["\(try #require(row["pid"] as? Int))"]
        default: ["--source", "127.0.0.1", "--service", connection.service]
        }
      try connection.ask()
      #expect(try manager.begat("end", naming: words).hasPrefix("1 connection is ended"), "\(words)\n\(manager.log)")
      #expect(connection.client.awaitEnd())
      try manager.daemon.errors.awaitLines(containing: address)
    }
    #expect(eventually { (try? manager.connections().isEmpty) ?? false })
    #expect(try !manager.begat("status").contains("draining"))
    try manager.awaitNames { $0.count { $0.hasPrefix("begat-channel ") } == 4 }
    try manager.awaitNames { $0.count { $0.hasPrefix("begat-board ") } == 4 }
    try manager.end()
  }

  @Test func theyCountAfterTheirConfigurationIsGone() throws {
    let manager = try started()
    let idle = try ["echo", "cat"].map { try IdleClient($0, manager) }
    try manager.killAndStart("[service.other]\nserve = \"time\"\nlisten-stream = [\"127.0.0.1:0\"]\n")
    let shown = try manager.connections()
    for connection in idle {
      #expect(shown[try connection.client.address()]?["service"] as? String == connection.service)
      try connection.ask()
    }
    let status = try manager.begat("status")
    #expect(status.contains("echo") && status.contains("draining"), "\(status)")
    #expect(try manager.begat("status", "--prometheus").contains("service=\"cat\""))
    try manager.begat("end", "--service", "cat")
    #expect(idle[1].client.awaitEnd())
    try idle[0].ask()
    // Once more: the service is not configured, and its listener is two begatds old.
    try manager.restart()
    try idle[0].ask()
    #expect(try manager.connections().count == 1)
    idle[0].client.hangUp()
    #expect(eventually { (try? manager.connections().isEmpty) ?? false })
    try manager.daemon.errors.awaitLines(containing: try idle[0].client.address())
    try manager.end()
  }

  @Test func countsOfAServiceThatComesBackGoOn() throws {
    let manager = try started()
    let idle = try IdleClient("cat", manager)
    for _ in 0..<3 { #expect(try ask(manager.address("cat"), "x") == Array("x".utf8)) }
    try manager.directory.write(StoredServices.withoutCat(manager.directory), to: "begatd.toml")
    try manager.begat("reload")
    // Its last listener ends while there is no begatd.
    try manager.stop()
    idle.client.hangUp()
    try manager.awaitNames { !$0.contains { $0.hasPrefix("begat-channel cat ") } }
    try manager.start()
    // Counts without a listener are kept again.
    try manager.restart()
    try manager.killAndStart()
    try manager.directory.write(StoredServices.configuration(manager.directory), to: "begatd.toml")
    try manager.begat("reload")
    let metrics = try manager.begat("status", "--prometheus")
    #expect(metrics.contains("begat_connections_accepted_total{service=\"cat\"} 4\n"), "\(metrics)\n\(manager.log)")
    try manager.end()
  }

  @Test func theirConnectionsCountAgainstTheLimits() throws {
    let manager = try started { _ in
      "[service.echo]\nserve = \"echo\"\nmax-connections = 2\nlisten-stream = [\"127.0.0.1:0\"]\n"
    }
    let idle = try (0..<2).map { _ in try IdleClient("echo", manager) }
    try manager.killAndStart()
    let third = try Client(manager.address("echo"))
    try third.send("x")
    #expect(!third.hears(within: .milliseconds(300)))
    idle[0].client.hangUp()
    #expect(try third.receive(count: 1) == Array("x".utf8))
    try idle[1].ask()
    try manager.end()
  }

  @Test(arguments: [true, false]) func aProgramThatAcceptsItselfIsFollowedByAnother(isKilled: Bool) throws {
    let manager = try started { _ in
      (try? WaitingProgram.configuration(WaitingProgram.server)) ?? ""
    }
    let address = try manager.address("waiting")
    let first = try WaitingProgram.expectAnswer(address, "x", 1, from: nil)
    if !isKilled { _ = try WaitingProgram.expectAnswer(address, "end", 2, from: first) }
    try isKilled ? manager.killAndStart() : manager.restart()
    let second = try WaitingProgram.expectAnswer(address, "x", 1, from: nil)
    #expect(second != first)
    _ = try WaitingProgram.expectAnswer(address, "end", 2, from: second)
    try manager.end()
  }

  @Test func bansOutliveBegatd() throws {
    let manager = try started()
    try manager.begat("deny", "127.0.0.9")
    try manager.begat("deny", "127.0.0.8", "--service", "cat")
    for _ in 0..<2 {
      try manager.killAndStart()
      #expect((try? ask(manager.address("echo"), "x", from: "127.0.0.9")) ?? [] == [])
      #expect((try? ask(manager.address("cat"), "x", from: "127.0.0.8")) ?? [] == [])
      #expect(try ask(manager.address("echo"), "x", from: "127.0.0.8") == Array("x".utf8))
    }
    try manager.begat("allow", "127.0.0.9")
    #expect(try ask(manager.address("echo"), "x", from: "127.0.0.9") == Array("x".utf8))
    try manager.end()
  }

  @Test func withoutBegatdTheNextSIGTERMEndsThem() throws {
    let manager = try started()
    let listeners = ProcessFacts.children(of: try manager.daemon.process).filter { $0.title.contains("listener") }
    let idle = try StoredServices.names.map { try IdleClient($0, manager) }
    try manager.daemon.kill()
    // The listeners have noticed when no process has the sockets any more.
    manager.remove { $0.hasPrefix("begat-stream ") }
    for name in StoredServices.names {
      let address = try manager.address(name)
      #expect(eventually { (try? Client(address)) == nil }, "\(name)")
    }
    for connection in idle { try connection.ask() }
    for listener in listeners { try? Signal.terminate.send(to: listener.process) }
    for connection in idle { #expect(connection.client.awaitEnd(within: .seconds(2)), "\(connection.service)") }
    #expect(eventually { listeners.allSatisfy { !$0.isThere } })
  }

  @Test func oneThatDoesNotCloseItsSocketsIsKilled() throws {
    let manager = try started { _ in
      "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"127.0.0.1:0\"]\n"
    }
    let idle = try IdleClient("echo", manager)
    let listener = try #require(
      ProcessFacts.children(of: try manager.daemon.process).first { $0.title == "begat-listener: echo" })
    try Signal(rawValue: SIGSTOP).send(to: listener.process)
    try manager.daemon.kill()
    try manager.start()
    #expect(manager.log.contains("of a former begatd does not close its sockets; killed"), "\(manager.log)")
    #expect(idle.client.awaitEnd())
    #expect(try ask(manager.address("echo"), "x") == Array("x".utf8))
    try manager.end()
  }
}
