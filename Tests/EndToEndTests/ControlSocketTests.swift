import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The control sockets of begatd: their files, who may speak to them, and what they take.
@Suite(.timeLimit(.minutes(30)))
struct ControlSocketTests {
  private static let time = SampleConfiguration.service("time")

  private func metadata(_ path: String) -> stat? {
    var facts = stat()
    return lstat(path, &facts) == 0 ? facts : nil
  }

  @Test func areForOneUserAndRemovedAtTheEnd() throws {
    let directory = try TemporaryDirectory()
    let paths = ["control", "status"].map { directory.path("run/\($0)") }
    let daemon = try Daemon(Self.time, in: directory)
    for path in paths {
      let facts = try #require(metadata(path))
      #expect(facts.st_mode & S_IFMT == S_IFSOCK && facts.st_mode & 0o777 == 0o600 && facts.st_uid == geteuid())
    }
    try daemon.stop()
    for path in paths { #expect(metadata(path) == nil) }
  }

  @Test func statusIsForAGroupThatIsNamed() throws {
    let group = String(getegid())
    let text = "[daemon]\ncontrol-group = \"\(group)\"\n" + Self.time
    try withDaemon(text) { daemon in
      let status = try #require(metadata(daemon.directory.path("run/status")))
      #expect(status.st_mode & 0o777 == 0o660 && status.st_gid == getegid())
      #expect(metadata(daemon.directory.path("run/control"))?.st_mode == S_IFSOCK | 0o600)
    }
  }

  @Test func standWhereTheConfigurationSays() throws {
    try withDaemon({ "[daemon]\ncontrol-socket = \"\($0.path("c.sock"))\"\n" + Self.time }) { daemon in
      #expect(metadata(daemon.directory.path("run/control")) == nil)
      let status = try daemon.begat("status", "--control", daemon.directory.path("c.sock"))
      #expect(status.status == .exited(code: 0) && status.output.text.contains("time"))
      #expect(metadata(daemon.directory.path("c.sock.status")) != nil)
    }
    try withDaemon("[daemon]\ncontrol-socket = \"none\"\n" + Self.time) { daemon in
      #expect(metadata(daemon.directory.path("run/control")) == nil)
      let status = try daemon.begat("status")
      #expect(status.status == .exited(code: 1))
      #expect(
        status.errors.text.hasPrefix("begat status: no begatd answers at \(daemon.directory.path("run/status"));"))
    }
  }

  @Test func belongToOneBegatd() throws {
    let directory = try TemporaryDirectory()
    let daemon = try Daemon(Self.time, in: directory)
    let second = try RunningProgram.run(
      try Programs.begatd(), ["--config", directory.path("begatd.toml")],
      environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
    #expect(second.status == .exited(code: 1))
    #expect(
      second.errors.text
        == "begatd: \(directory.path("run/control")): another begatd is running (process \(daemon.process)); begat stop "
        + "ends it, and another RUNTIME_DIRECTORY or [daemon] control-socket lets both run\n")
    // The first has kept its own.
    #expect(try daemon.begat("status").status == .exited(code: 0))
    try daemon.stop()
  }

  @Test func replaceThoseOfADeadBegatd() throws {
    let directory = try TemporaryDirectory()
    let dead = try Daemon(Self.time, in: directory)
    dead.kill()
    #expect(metadata(directory.path("run/control")) != nil)
    let daemon = try Daemon(Self.time, in: directory)
    #expect(try daemon.begat("status").status == .exited(code: 0))
    try daemon.stop()
  }

  @Test func leaveFilesAlone() throws {
    let directory = try TemporaryDirectory()
    try directory.write("precious", to: "control")
    let file = directory.path("control")
    let configuration = try directory.write("[daemon]\ncontrol-socket = \"\(file)\"\n" + Self.time, to: "begatd.toml")
    let begatd = try RunningProgram.run(try Programs.begatd(), ["--config", configuration])
    #expect(begatd.status == .exited(code: 1))
    #expect(
      begatd.errors.text
        == "begatd: control socket: bind \(file): exists and is not a socket; remove it or choose another path\n")
    #expect(metadata(file)?.st_size == 8)
  }

  @Test func takeQuestionsAndOrdersApart() throws {
    try withDaemon(Self.time) { daemon in
      let status = try Client(daemon.directory.path("run/status"))
      try status.send(#"{"version":1,"request":"stop"}"# + "\n" + #"{"version":1,"request":"ps"}"# + "\n")
      let answers = try status.receive { $0.count { $0 == UInt8(ascii: "\n") } == 2 }
      let lines = String(decoding: answers, as: UTF8.self).split(separator: "\n")
      #expect(lines[0].hasPrefix(#"{"version":1,"ok":false,"error":""#) && lines[0].contains("answers questions only"))
      #expect(lines[1] == #"{"version":1,"ok":true,"connections":[],"omitted":0}"#)
      #expect(!daemon.program.hasEnded)
    }
  }

  @Test func speakWithSocat() throws {
    let socat = try Programs.tool("socat")
    try withDaemon(Self.time) { daemon in
      let command = try RunningProgram.run(
        "/bin/sh",
        [
          "-c",
          "echo '{\"version\":1,\"request\":\"status\"}' | \(socat) -t 5 - UNIX:\(daemon.directory.path("run/control"))",
        ])
      let answer = try json(command, as: [String: Any].self)
      #expect(answer["ok"] as? Bool == true && (answer["services"] as? [Any])?.count == 1, "\(command.errors.text)")
    }
  }

  /// Another user's programs, as those of services are, cannot even connect.
  @Test(.enabled(if: Machine.isRoot, "needs root")) func areClosedToOtherUsers() throws {
    try withDaemon(Self.time) { daemon in
      // The directory is open to all in this test; the sockets are not.
      chmod(daemon.directory.path, 0o755)
      chmod(daemon.directory.path("run"), 0o755)
      for (request, socket) in [("status", "status"), ("stop", "control")] {
        let words = try Machine.unprivileged() + [try Programs.begat(), request]
        let begat = try RunningProgram.run(
          words[0], Array(words.dropFirst()), environment: ["RUNTIME_DIRECTORY=\(daemon.directory.path("run"))"])
        #expect(begat.status == .exited(code: 1))
        #expect(
          begat.errors.text.hasPrefix(
            "begat \(request): \(daemon.directory.path("run/\(socket)")): permission denied; use sudo"))
      }
    }
  }
}

extension Daemon {
  /// Runs a command that speaks to this begatd.
  func begat(_ arguments: String...) throws -> RunningProgram {
    try RunningProgram.run(
      try Programs.begat(), arguments, environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
  }
}
