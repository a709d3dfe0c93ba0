import Testing
@_spi(Begat) import UnixCore

/// `begat deny` and `begat allow`.
@Suite(.timeLimit(.minutes(30)))
struct DenyCommandTests {
  private static func configuration(_ number: Int = 0) -> String {
    SampleConfiguration.service("time", "max-connections = \(100 + number)") + SampleConfiguration.service("command")
  }

  @Test func isInForceForTheNextClientAndOverReloads() throws {
    try withDaemon(Self.configuration()) { daemon in
      #expect(try daemon.serves("127.0.0.2"))
      let open = try Client(try daemon.address("command"), from: "127.0.0.2")
      _ = try open.receive(until: Expected.prompt)
      let deny = try daemon.begat("deny", "127.0.0.2")
      #expect(deny.status == .exited(code: 0) && deny.output.text == "127.0.0.2 is denied\n")
      for service in ["time", "command"] {
        #expect(try !daemon.serves("127.0.0.2", at: service))
        #expect(try daemon.serves("127.0.0.3", at: service))
      }
      // Open connections go on.
      try expectAlive(open)
      for number in 1...2 {
        try daemon.reload(Self.configuration(number))
        #expect(try !daemon.serves("127.0.0.2"))
        #expect(try daemon.serves("127.0.0.3"))
      }
      try Signal.kill.send(to: try daemon.listener("time"))
      #expect(try eventually { try daemon.serves("127.0.0.3") })
      #expect(try !daemon.serves("127.0.0.2"))
      #expect(try daemon.begat("status").output.text.contains("127.0.0.2  (all)    ever"))
      let allow = try daemon.begat("allow", "127.0.0.2")
      #expect(allow.status == .exited(code: 0))
      #expect(try daemon.serves("127.0.0.2"))
      #expect(try !daemon.begat("status").output.text.contains("DENIED"))
      try daemon.log.awaitLines(containing: "127.0.0.2 is banned by begat deny")
    }
  }

  @Test func mayConcernOneServiceForATime() throws {
    try withDaemon(Self.configuration()) { daemon in
      let deny = try daemon.begat("deny", "127.0.1.0/24", "--service", "time", "--for", "1s")
      #expect(deny.output.text == "127.0.1.0/24 is denied at time for 1s\n")
      let watch = Stopwatch()
      #expect(try !daemon.serves("127.0.1.7"))
      #expect(try daemon.serves("127.0.1.7", at: "command"))
      #expect(try daemon.serves("127.0.2.7"))
      #expect(try eventually { try daemon.serves("127.0.1.7") })
      #expect(watch.elapsed > .milliseconds(900), "\(watch.elapsed)")
      #expect(try !daemon.begat("status").output.text.contains("DENIED"))
      let unknown = try daemon.begat("deny", "127.0.1.7", "--service", "tiem")
      #expect(unknown.status == .exited(code: 64) && unknown.errors.text.contains("did you mean time?"))
    }
  }

  /// A longer time replaces a shorter one, and the other way round.
  @Test func aRepeatedOrderChangesTheTime() throws {
    try withDaemon(Self.configuration()) { daemon in
      _ = try daemon.begat("deny", "127.0.0.2", "--for", "1h")
      let again = try daemon.begat("deny", "127.0.0.2", "--for", "500ms")
      #expect(again.output.text.contains("was denied before"))
      #expect(try eventually { try daemon.serves("127.0.0.2") })
    }
  }

  @Test func whatWouldCutOffEveryoneNeedsATime() throws {
    try withDaemon(Self.configuration()) { daemon in
      for network in ["0.0.0.0/0", "127.0.0.0/8"] {
        let deny = try daemon.begat("deny", network)
        #expect(deny.status == .exited(code: 64) && deny.errors.text.contains("--for 10m"), "\(deny.errors.text)")
        #expect(try daemon.serves("127.0.0.2"))
        #expect(try daemon.begat("deny", network, "--for", "1m").status == .exited(code: 0))
        #expect(try !daemon.serves("127.0.0.2"))
        // The control socket is reached all the same.
        #expect(try daemon.begat("allow", network).status == .exited(code: 0))
        #expect(try daemon.serves("127.0.0.2"))
      }
    }
  }

  @Test func whatStillDeniesIsSaid() throws {
    try withDaemon(Self.configuration()) { daemon in
      _ = try daemon.begat("deny", "127.0.2.0/24")
      _ = try daemon.begat("deny", "127.0.2.7")
      let allow = try daemon.begat("allow", "127.0.2.7")
      #expect(allow.status == .exited(code: 1))
      #expect(allow.errors.text.contains("127.0.2.7 is still denied by 127.0.2.0/24"), "\(allow.errors.text)")
    }
  }

  /// A denial may have ended by itself: what was to be so is so.
  @Test func whatIsNotDeniedIsAllowedAlready() throws {
    try withDaemon(Self.configuration()) { daemon in
      #expect(try daemon.begat("deny", "127.0.2.7", "--for", "1h").output.text == "127.0.2.7 is denied for 1h\n")
      #expect(try daemon.begat("status").output.lines.contains { $0.hasPrefix("127.0.2.7  (all)    59m") })
      #expect(try daemon.begat("allow", "127.0.2.7").output.text == "127.0.2.7 is denied no more\n")
      for _ in 0..<2 {
        let again = try daemon.begat("allow", "127.0.2.7")
        #expect(again.status == .exited(code: 0) && again.errors.text == "")
        #expect(again.output.text == "127.0.2.7 was not denied\n")
      }
      let elsewhere = try daemon.begat("allow", "127.0.2.7", "--service", "time")
      #expect(elsewhere.output.text == "127.0.2.7 was not denied at time\n")
    }
  }
}
