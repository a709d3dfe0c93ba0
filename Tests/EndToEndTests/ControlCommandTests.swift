import Foundation
import Testing
@_spi(Begat) import UnixCore

/// The commands of begat that speak to a running begatd.
@Suite(.timeLimit(.minutes(30)))
struct ControlCommandTests {
  @Test func statusShowsServicesAndTheirCounts() throws {
    let text =
      SampleConfiguration.service("echo", "max-connections = 7", "deny = [\"127.0.0.9\"]") + """
        [service.time]
        serve = "time"
        listen-stream = ["127.0.0.1:0"]
        listen-datagram = ["127.0.0.1:0"]
        """
    try withDaemon(text) { daemon in
      let open = try Client(try daemon.address("echo"))
      try open.send("x")
      _ = try open.receive(count: 1)
      for _ in 0..<3 { _ = try ask(try daemon.address("time", "127.")) }
      _ = try? ask(try daemon.address("echo"), "x", from: "127.0.0.9")
      _ = try DatagramClient.ask(try daemon.address("time", datagram: true))
      var services: [[String: Any]] = []
      // A listener counts an end when it reaps, and an answered datagram when it has sent the answer.
      let isCounted = try eventually {
        services = try self.services(daemon)
        let answered = (services[1]["datagrams"] as? [String: Any])?["answered"] as? Int
        return services[1]["ended"] as? Int == 3 && answered == 1
      }
      #expect(isCounted)
      let (echo, time) = (services[0], services[1])
      #expect(echo["name"] as? String == "echo" && echo["state"] as? String == "serving")
      #expect(echo["active"] as? Int == 1 && echo["limit"] as? Int == 7 && echo["accepted"] as? Int == 1)
      #expect((echo["refused"] as? [String: Int])?["allow-and-deny"] == 1)
      #expect((echo["addresses"] as? [[String: String]])?.first?["address"] == (try daemon.address("echo")))
      #expect(echo["datagrams"] is NSNull)
      #expect(time["accepted"] as? Int == 3 && time["active"] as? Int == 0)
      let listener = try #require((time["listeners"] as? [[String: Any]])?.first)
      #expect(listener["pid"] as? Int == Int(try daemon.listener("time")) && listener["role"] as? String == "current")
      #expect(listener["generation"] as? Int == 1)

      let table = try daemon.begat("status")
      #expect(table.status == .exited(code: 0) && table.errors.text == "")
      let lines = table.output.lines
      #expect(lines[0].hasPrefix("begatd ") && lines[0].contains("(process \(daemon.process)): serving, for "))
      #expect(lines[1] == "configuration: \(daemon.directory.path("begatd.toml"))")
      let row = lines.first { $0.hasPrefix("echo ") }?.split(separator: " ").map(String.init)
      let address = try daemon.address("echo")
      #expect(row?.prefix(5) == ["echo", "serving", "1/7", "1", "1"] && row?.last == address)
      #expect(lines.contains { $0.split(separator: " ") == ["allow-and-deny", "echo", "1"] })
    }
  }

  private func services(_ daemon: Daemon) throws -> [[String: Any]] {
    let status = try daemon.begat("status", "--json")
    let answer = try json(status, as: [String: Any].self)
    return try #require(answer["services"] as? [[String: Any]])
  }

  @Test func countersOutliveListeners() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      for _ in 0..<4 { _ = try ask(try daemon.address("time")) }
      let listener = try daemon.listener("time")
      #expect(try eventually { try self.services(daemon)[0]["ended"] as? Int == 4 })
      try Signal.kill.send(to: listener)
      let isReplaced = try eventually {
        let service = try self.services(daemon)[0]
        let listeners = service["listeners"] as? [[String: Any]]
        return listeners?.first?["generation"] as? Int == 2 && service["state"] as? String == "serving"
      }
      #expect(isReplaced)
      _ = try ask(try daemon.address("time"))
      #expect(try self.services(daemon)[0]["accepted"] as? Int == 5)
    }
  }

  @Test func psShowsConnections() throws {
    let program = """
      [service.cat]
      exec = ["/bin/cat"]
      listen-stream = ["127.0.0.1:0"]

      """
    try withDaemon({ directory in
      program + "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"127.0.0.1:0\", \"\(directory.path("e.sock"))\"]\n"
    }) { daemon in
      let addresses = [try daemon.address("echo", "127."), try daemon.address("echo", "/"), try daemon.address("cat")]
      let clients = try addresses.map { try Client($0) }
      for client in clients {
        try client.send("hello")
        _ = try client.receive(count: 5)
      }
      let answer = try json(try daemon.begat("ps", "--json"), as: [String: Any].self)
      let rows = try #require(answer["connections"] as? [[String: Any]])
      #expect(answer["omitted"] as? Int == 0 && rows.count == 3)
      let tcp = try #require(rows.first { $0["peer"] as? String == (try? clients[0].address()) })
      #expect(tcp["service"] as? String == "echo" && tcp["received"] as? Int == 5 && tcp["sent"] as? Int == 5)
      #expect(tcp["waits-for"] as? String == "client" && tcp["user"] is NSNull)
      #expect(tcp["listener"] as? Int == Int(try daemon.listener("echo")))
      let processes = try daemon.connections("echo").map { Int($0.process) }
      #expect(processes.contains(try #require(tcp["pid"] as? Int)))
      #expect((tcp["id"] as? String)?.hasPrefix("echo/1.") == true)
      let unix = try #require(rows.first { $0["user"] as? Int == Int(geteuid()) })
      #expect(unix["peer"] as? String == daemon.directory.path("e.sock"))
      let own = try #require(rows.first { $0["service"] as? String == "cat" })
      #expect(own["received"] is NSNull && own["sent"] is NSNull && own["waits-for"] is NSNull)
      #expect(Set(rows.compactMap { $0["id"] as? String }).count == 3)

      let table = try daemon.begat("ps")
      #expect(table.output.lines.count == 4 && table.output.lines.allSatisfy { $0.count <= 80 })
      #expect(table.output.lines[0].split(separator: " ").first == "ID")
      #expect(table.output.lines(containing: "uid \(geteuid())").count == 1)
      let some = try daemon.begat("ps", "cat")
      #expect(some.output.lines.count == 2 && some.output.lines[1].hasPrefix("cat/1."))
    }
  }

  @Test func mistakesHaveAdvice() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      let unknown = try daemon.begat("ps", "tiem")
      #expect(unknown.status == .exited(code: 64))
      #expect(unknown.errors.text == "begat ps: no service \"tiem\"; did you mean time?\n")
      let hostile = try daemon.begat("drain", "\u{1b}[2J")
      #expect(hostile.status == .exited(code: 64))
      #expect(hostile.errors.text == "begat drain: no service \"\\x1b[2J\"; begat status shows all\n")
    }
  }

  @Test(arguments: [
    ["drain"], ["drain", "a", "--all"], ["drain", "--wait=x", "a"], ["resume"], ["end"], ["end", "x"], ["end", "0"],
    ["end", "--all", "--service", "a"], ["deny"], ["deny", "host"], ["deny", "192.0.2.7/24"], ["allow"],
    ["deny", "192.0.2.7", "--for", "0"], ["ps", "a", "b"],
  ])
  func wrongCommandLinesEndWith64(words: [String]) throws {
    let begat = try RunningProgram.run(try Programs.begat(), words)
    #expect(begat.status == .exited(code: 64) && begat.output.text == "", "\(begat.errors.text)")
  }

  @Test func noBegatdIsSaid() throws {
    let directory = try TemporaryDirectory()
    func begat(_ words: String...) throws -> RunningProgram {
      try RunningProgram.run(try Programs.begat(), words, environment: ["RUNTIME_DIRECTORY=\(directory.path)"])
    }
    let stop = try begat("stop")
    #expect(stop.status == .exited(code: 1))
    #expect(
      stop.errors.text
        == "begat stop: no begatd answers at \(directory.path("control")); start it, or name its control socket: --control PATH\n"
    )
    // One that has ended has left its socket.
    let socket = try UnixSocketFile.listen(at: directory.path("control"), backlog: 1, access: .init())
    let other = try begat("stop", "--control", directory.path("control"))
    _ = consume socket
    #expect(other.status != .exited(code: 0))
    #expect(try begat("stop").errors.text == stop.errors.text)
  }

  @Test func anotherVersionIsSaid() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("control")
    let socat = try Programs.tool("socat")
    let answer = try directory.write("{\"version\":2,\"ok\":true}\n", to: "answer")
    let server = try RunningProgram(socat, ["UNIX-LISTEN:\(path),fork", "SYSTEM:read line; cat \(answer)"])
    #expect(eventually { access(path, F_OK) == 0 })
    let stop = try RunningProgram.run(try Programs.begat(), ["stop", "--control", path])
    #expect(stop.status == .exited(code: 1))
    #expect(stop.errors.text.hasPrefix("begat stop: \(path): begatd speaks version 2 of the control language"))
    server.kill()
  }

  @Test func stopStopsIt() throws {
    let directory = try TemporaryDirectory()
    let daemon = try Daemon(SampleConfiguration.service("time"), in: directory)
    let stop = try daemon.begat("stop")
    #expect(
      stop.status == .exited(code: 0) && stop.output.text.hasPrefix("stopping; open connections may go on for 30s"))
    try daemon.awaitEnd()
    #expect(daemon.log.lines(containing: "control: {\"version\":1,\"request\":\"stop\"}").count == 1)
  }

  @Test func checkWarnsOfProgramsThatCouldCommand() throws {
    let directory = try TemporaryDirectory()
    let program = "[service.cat]\nexec = [\"/bin/cat\"]\nlisten-stream = [\"127.0.0.1:0\"]\n"
    let file = try directory.write(program, to: "begatd.toml")
    chmod(directory.path, 0o755)
    chmod(file, 0o644)
    let words = Machine.isRoot ? try Machine.unprivileged() + [try Programs.begat()] : [try Programs.begat()]
    let check = try RunningProgram.run(words[0], Array(words.dropFirst()) + ["check", file])
    #expect(check.status == .exited(code: 0))
    #expect(
      check.errors.text
        == "begat check: warning: \(file):1:10: service.cat: its programs run as begatd's own user and can command begatd "
        + "through its control socket, unless the machine's service manager starts begatd; control-socket = \"none\" in [daemon] opens none\n"
    )
  }
}
