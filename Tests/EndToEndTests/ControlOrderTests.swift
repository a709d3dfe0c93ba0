import Foundation
import Testing
@_spi(Begat) import UnixCore

/// Orders to a running begatd, by what they change for its clients.
@Suite(.timeLimit(.minutes(10)))
struct ControlOrderTests {
  @Test func denyRefusesUntilAllow() throws {
    try withDaemon(SampleConfiguration.service("time")) { daemon in
      let address = try daemon.address("time")
      let deny = try daemon.begat("deny", "127.0.0.0/8", "--for", "1h")
      #expect(deny.status == .exited(code: 0) && deny.output.text == "127.0.0.0/8 is denied for 1h\n")
      #expect(try ask(address).isEmpty)
      let status = try daemon.begat("status")
      #expect(status.output.lines.contains { $0.hasPrefix("127.0.0.0/8  (all)    59m") })
      let allow = try daemon.begat("allow", "127.0.0.0/8")
      #expect(allow.status == .exited(code: 0) && allow.output.text == "127.0.0.0/8 is denied no more\n")
      #expect(try ask(address).count == 4)
      let again = try daemon.begat("allow", "127.0.0.0/8")
      #expect(again.status == .exited(code: 1))
      #expect(again.errors.text == "begat allow: 127.0.0.0/8 is not denied\n")
    }
  }

  @Test func endEndsWhatItNames() throws {
    try withDaemon(SampleConfiguration.service("echo")) { daemon in
      let address = try daemon.address("echo")
      let clients = try (0..<3).map { _ in try Client(address) }
      for client in clients {
        try client.send("x")
        _ = try client.receive(count: 1)
      }
      let answer = try json(try daemon.begat("ps", "--json"), as: [String: Any].self)
      let rows = try #require(answer["connections"] as? [[String: Any]])
      let first = try #require(rows.first { $0["peer"] as? String == (try? clients[0].address()) })
      let id = try #require(first["id"] as? String)
      let end = try daemon.begat("end", id)
      #expect(end.status == .exited(code: 0) && end.output.text == "1 connection is ended\n")
      #expect(clients[0].awaitEnd())
      // The next client may get its slot, and the id does not mean it.
      #expect(try eventually { try daemon.connections("echo").count == 2 })
      let next = try Client(address)
      try next.send("x")
      _ = try next.receive(count: 1)
      let again = try daemon.begat("end", id)
      #expect(again.status == .exited(code: 1) && again.errors.text == "begat end: no connection \(id)\n")
      for client in clients.dropFirst() + [next] {
        try client.send("y")
        #expect(try client.receive(count: 1) == [UInt8(ascii: "y")])
      }
      let all = try daemon.begat("end", "--source", "127.0.0.1", "--service", "echo")
      #expect(all.output.text == "3 connections are ended\n")
      #expect(clients[1].awaitEnd() && clients[2].awaitEnd() && next.awaitEnd())
    }
  }

  @Test func reloadAnswersWhoeverTypedIt() throws {
    let text = SampleConfiguration.service("time") + SampleConfiguration.service("echo")
    try withDaemon(text) { daemon in
      let file = daemon.directory.path("begatd.toml")
      try daemon.directory.write(
        SampleConfiguration.service("time", "max-connections = 9") + SampleConfiguration.service("echo"),
        to: "begatd.toml")
      let dry = try daemon.begat("reload", "--dry-run")
      #expect(dry.status == .exited(code: 0), "\(dry.errors.text)")
      #expect(dry.output.lines.last == "the configuration is right; 1 of 2 services would change")
      #expect(dry.output.lines.first == "changed  time: max-connections")
      let reload = try daemon.begat("reload")
      #expect(reload.status == .exited(code: 0) && reload.output.lines.last == "reloaded; 1 of 2 services changed")
      #expect(try daemon.begat("status").output.text.contains("0/9"))
      try daemon.directory.write(
        "[service.time]\nserve = \"tiem\"\nlisten-stream = [\"127.0.0.1:0\"]\n", to: "begatd.toml")
      let refused = try daemon.begat("reload")
      #expect(refused.status == .exited(code: 78) && refused.output.text == "")
      #expect(refused.errors.lines.first?.hasPrefix("\(file):2:9: service.time.serve: expected one of ") == true)
      #expect(refused.errors.lines.last == "begat reload: the configuration is refused; the one before goes on")
      #expect(try daemon.begat("status").output.text.contains("0/9"))
    }
  }
}
