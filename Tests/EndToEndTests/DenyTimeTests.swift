import Testing
@_spi(Begat) import UnixCore

/// `deny-time`: abuse has a price.
@Suite(.timeLimit(.minutes(30)))
struct DenyTimeTests {
  private static func configuration(_ lines: String...) -> String {
    SampleConfiguration.service("command", (["deny-time = \"1h after 3\""] + lines).joined(separator: "\n"))
  }

  /// Ends the process of an open connection from there as a fault of its own would.
  private func crash(_ daemon: Daemon, from source: String) throws {
    let client = try Client(try daemon.address("command"), from: source)
    _ = try client.receive(until: Expected.prompt)
    let title = "begat-listener: command \(try client.address())"
    let process = try #require(
      try daemon.awaitConnections(1, of: "command").first { ProcessFacts.title($0) == title })
    try Signal.segmentationFault.send(to: process)
    #expect(client.awaitEnd())
    try daemon.log.awaitLines(containing: "crashed, SIGSEGV")
  }

  @Test func aCrashKeepsItsSourceAway() throws {
    try withDaemon(Self.configuration()) { daemon in
      try crash(daemon, from: "127.0.0.2")
      #expect(try !daemon.serves("127.0.0.2", at: "command"))
      #expect(try daemon.serves("127.0.0.3", at: "command"))
      try daemon.log.awaitLines(containing: "127.0.0.2 waits after abuse, deny-time (1h after 3)")
      #expect(try daemon.begat("status").output.text.contains("deny-time"))
      // Neither a reload nor a new listener forgets it.
      try daemon.reload(Self.configuration("max-connections = 50"))
      #expect(try !daemon.serves("127.0.0.2", at: "command"))
      let allow = try daemon.begat("allow", "127.0.0.2")
      #expect(allow.output.text == "127.0.0.2 is denied no more: deny-time is over for 1 source\n")
      #expect(try daemon.serves("127.0.0.2", at: "command"))
    }
  }

  @Test func refusalsAddUp() throws {
    try withDaemon(Self.configuration("max-connections-per-source = 1")) { daemon in
      let open = try Client(try daemon.address("command"), from: "127.0.0.2")
      _ = try open.receive(until: Expected.prompt)
      for _ in 0..<3 { #expect(try !daemon.serves("127.0.0.2", at: "command")) }
      // The open connection goes on; when it is gone, its source still waits.
      try expectAlive(open)
      open.hangUp()
      _ = try daemon.awaitConnections(0, of: "command")
      #expect(try !daemon.serves("127.0.0.2", at: "command"))
      #expect(try daemon.serves("127.0.0.3", at: "command"))
    }
  }

  @Test func exemptSourcesDoNotWait() throws {
    try withDaemon(Self.configuration("deny-exempt = [\"127.0.0.0/30\"]")) { daemon in
      try crash(daemon, from: "127.0.0.2")
      #expect(try daemon.serves("127.0.0.2", at: "command"))
    }
  }

  @Test(arguments: ["relay = true", ""])
  func aProgramsCrashCountsToo(_ relay: String) throws {
    let script = "read -r line; [ \"$line\" = bad ] && kill -SEGV $$; echo fine"
    let configuration = SampleConfiguration.script("program", script, "deny-time = \"1h\"\n\(relay)")
    try withDaemon(configuration) { daemon in
      // A refused client may find the connection reset while it sends.
      func ask(_ line: String, from source: String) throws -> String {
        let client = try Client(try daemon.address("program"), from: source)
        try? client.send(line + "\n")
        return String(decoding: (try? client.receiveAll()) ?? [], as: UTF8.self)
      }
      #expect(try ask("good", from: "127.0.0.2") == "fine\n")
      #expect(try ask("bad", from: "127.0.0.2") == "")
      try daemon.log.awaitLines(containing: relay.isEmpty ? "crashed, SIGSEGV" : "exit status 139")
      #expect(try ask("good", from: "127.0.0.2") == "")
      #expect(try ask("good", from: "127.0.0.3") == "fine\n")
    }
  }
}
