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
      echo + "[service.b]\nserve = \"time\"\nlisten-stream = \"8\"\nuser = \"nobody\"\n[defaults]\nuser = \"root\""
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
  }

  @Test("warns once of programs that run as the same user")
  func warnsOfSharedUsers() throws {
    func program(_ name: String, _ port: Int, _ more: String = "") -> String {
      "[service.\(name)]\nexec = [\"/bin/cat\"]\nlisten-stream = \"\(port)\"\n\(more)"
    }
    let nobody = "user = \"nobody\"\n"
    #expect(try warnings(program("a", 1) + program("b", 2)) == [])
    let first = program("a", 1, nobody)
    let second = program("b", 2, nobody)
    func warning(_ names: String) -> [String] {
      [
        "t.toml:5:10: service.b: programs of \(names) all run as nobody and can signal and trace each other; leave user "
          + "out, so that each has a user of its own, or set different ones"
      ]
    }
    #expect(try warnings(first + second) == warning("a and b"))
    #expect(try warnings(first + second + program("c", 3, nobody)) == warning("a, b and c"))
    let five = first + second + ["c", "d", "e"].enumerated().map { program($1, $0 + 3, nobody) }.joined()
    #expect(try warnings(five) == warning("a, b, c and 2 more"))
    #expect(try warnings(program("a", 1) + program("b", 2) + "[defaults]\n" + nobody).count == 1)
    #expect(try warnings(first + program("b", 2, "user = \"daemon\"\n")) == [])
    #expect(try warnings(first + program("b", 2, nobody + "enabled = false\n")) == [])
    #expect(try warnings(first + echo.replacing("service.a", with: "service.c") + nobody) == [])
    let command = "[service.c]\nserve = \"command\"\nlisten-stream = \"3\"\n" + nobody
    #expect(try warnings(first + command) == [])
    #expect(try warnings(first + command + "commands = { x = [\"/bin/cat\"] }\n").count == 1)
  }
}
