import Glibc
import Testing

@testable import Configuration

/// What is allowed and probably not meant.
@Suite struct ConfigurationWarningsTests {
  private func warnings(_ text: String) throws -> [String] {
    try Configuration.sample(text).warnings.map(\.description)
  }

  private let echo = "[service.a]\nserve = \"echo\"\nlisten-stream = \"7\"\n"

  @Test("warns of a service that is root by [defaults] only")
  func warnsOfRoot() throws {
    #expect(try warnings(echo + "user = \"root\"") == [])
    #expect(try warnings(echo) == [])
    let text =
      echo + "[service.b]\nserve = \"time\"\nlisten-stream = \"8\"\nuser = \"daemon\"\n[defaults]\nuser = \"root\""
    #expect(try warnings(text) == ["t.toml:9:1: defaults.user: a serves as root by this default; set its own user"])
  }

  @Test("warns of a relay before a program that asks for its peer")
  func warnsOfRelays() throws {
    let directory = try TemporaryDirectory()
    try directory.write("#!/bin/sh\n", to: "rsync", mode: 0o755)
    // The service's user enters it.
    #expect(chmod(directory.path, 0o755) == 0)
    let program = directory["rsync"]
    let rsync = "[service.a]\nexec = [\"\(program)\", \"--daemon\"]\nlisten-stream = \"873\"\n"
    #expect(
      try warnings(rsync + "relay = true") == [
        "t.toml:4:1: service.a.relay: rsync asks the kernel for its client's address and finds a relay instead: its own host "
          + "rules then admit or refuse the wrong clients; use allow and deny here, or leave out relay"
      ])
    #expect(try warnings(rsync) == [])
    #expect(
      try warnings(rsync + "[defaults]\nrelay = true").map { $0.hasPrefix("t.toml:5:1: defaults.relay: ") } == [true])
    #expect(try warnings(rsync.replacing(program, with: "/bin/cat") + "relay = true") == [])
  }

  @Test("warns of a status page that every machine can see")
  func warnsOfOpenPages() throws {
    func page(_ addresses: String, _ more: String = "") -> String {
      "[service.p]\nserve = \"status\"\nlisten-stream = [\(addresses)]\n\(more)"
    }
    let warning =
      "t.toml:1:10: service.p: 192.0.2.1:9345 shows the status page to every machine that reaches it; set allow to "
      + "those that may see it"
    #expect(try warnings(page("\"127.0.0.1:9345\", \"192.0.2.1:9345\"")) == [warning])
    #expect(try warnings(page("\"9345\"")).count == 1)
    #expect(try warnings(page("\"9345\"", "allow = [\"192.0.2.0/24\"]")) == [])
    #expect(try warnings(page("\"127.0.0.1:1\", \"[::1]:1\", \"/run/page\", \"@page\"")) == [])
    #expect(try warnings("[service.t]\nserve = \"time\"\nlisten-stream = \"37\"\n") == [])
    let agent = page("\"192.0.2.1:9346\"").replacing("\"status\"", with: "\"haproxy-agent\"")
    #expect(
      try warnings(agent) == [
        "t.toml:1:10: service.p: 192.0.2.1:9346 shows the state of the services to every machine that reaches it; set "
          + "allow to the addresses of HAProxy"
      ])
    #expect(try warnings(agent + "allow = [\"192.0.2.0/24\"]") == [])
  }

  @Test("warns once of programs that run as the same user")
  func warnsOfSharedUsers() throws {
    func program(_ name: String, _ port: Int, _ more: String = "") -> String {
      "[service.\(name)]\nexec = [\"/bin/cat\"]\nlisten-stream = \"\(port)\"\n\(more)"
    }
    let daemon = "user = \"daemon\"\n"
    #expect(try warnings(program("a", 1) + program("b", 2)) == [])
    let first = program("a", 1, daemon)
    let second = program("b", 2, daemon)
    func warning(_ names: String) -> [String] {
      [
        "t.toml:5:10: service.b: programs of \(names) all run as daemon and can signal and trace each other; leave user "
          + "out, so that each has a user of its own, or set different ones"
      ]
    }
    #expect(try warnings(first + second) == warning("a and b"))
    #expect(try warnings(first + second + program("c", 3, daemon)) == warning("a, b and c"))
    let five = first + second + ["c", "d", "e"].enumerated().map { program($1, $0 + 3, daemon) }.joined()
    #expect(try warnings(five) == warning("a, b, c and 2 more"))
    #expect(try warnings(program("a", 1) + program("b", 2) + "[defaults]\n" + daemon).count == 1)
    #expect(try warnings(first + program("b", 2, "user = \"games\"\n")) == [])
    #expect(try warnings(first + program("b", 2, daemon + "enabled = false\n")) == [])
    #expect(try warnings(first + echo.replacing("service.a", with: "service.c") + daemon) == [])
    let command = "[service.c]\nserve = \"command\"\nlisten-stream = \"3\"\n" + daemon
    #expect(try warnings(first + command) == [])
    #expect(try warnings(first + command + "commands = { x = [\"/bin/cat\"] }\n").count == 1)
    // begatd has no other user to give.
    let own = (first + second).replacing("\"daemon\"", with: "\"1\"")
    #expect(try Configuration.sample(own, user: 1).warnings == [])
  }

  @Test("warns once of services that chose nobody, built-in ones too")
  func warnsOfNobody() throws {
    let nobody = "user = \"nobody\"\n"
    let one =
      "t.toml:4:1: service.a.user: a runs as nobody, which other programs of this machine may use too: they can signal "
      + "and trace its processes; leave user out, so that it has a user of its own"
    #expect(try warnings(echo + nobody) == [one])
    #expect(try warnings(echo + "user = \"65534\"\n") == [one])
    func program(_ name: String) -> String {
      "[service.\(name)]\nexec = [\"/bin/cat\"]\nlisten-stream = \"fd:\(name)\"\n\(nobody)"
    }
    func several(_ names: String, at place: String = "4:1: service.a.user") -> [String] {
      [
        "t.toml:\(place): \(names) run as nobody, which other programs of this machine may use too: all of them can signal and "
          + "trace each other; leave user out, so that each has a user of its own"
      ]
    }
    #expect(try warnings(echo + nobody + program("b")) == several("a and b"))
    #expect(
      try warnings(echo + nobody + ["b", "c", "d", "e"].map(program).joined()) == several("a, b, c and 2 more"))
    let byDefault = echo + echo.replacing("service.a", with: "service.b").replacing("\"7\"", with: "\"8\"")
    #expect(try warnings(byDefault + "[defaults]\n" + nobody) == several("a and b", at: "8:1: defaults.user"))
    #expect(
      try warnings(echo + nobody + "enabled = false\n[service.b]\nserve = \"time\"\nlisten-stream = \"8\"\n") == [])
    #expect(try Configuration.sample(echo + nobody, user: 65_534).warnings == [], "begatd has no other user to give")
  }
}
