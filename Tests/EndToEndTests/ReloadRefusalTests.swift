import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Configurations that are not put in force: whole, with the reason, while the one before goes on.
@Suite(.timeLimit(.minutes(30)))
struct ReloadRefusalTests {
  private static let time = SampleConfiguration.service("time")

  @Test(
    "refuses a broken file whole",
    arguments: [
      ("[service.time\n", "begatd.toml:1:"),
      (
        time + "[service.echo]\nserve = \"ecko\"\nlisten-stream = [\"127.0.0.1:0\"]\n",
        "begatd.toml:6:9: service.echo.serve"
      ),
      ("[service.echo]\nserve = \"echo\"\nlisten-stream = [\"127.0.0.1:0\"]\nmax-conections = 7\n", "max-conections"),
      ("", "no service to offer"),
    ])
  func refusesABrokenFile(text: String, message: String) throws {
    try withDaemon(Self.time) { daemon in
      let listener = try daemon.listener("time")
      let descriptors = daemon.descriptorCount
      #expect(try daemon.reload(text).contains("reload refused; the configuration before goes on"))
      #expect(daemon.log.text.contains(message), "\(daemon.log.text)")
      #expect(Expected.isTime(try ask(daemon.address("time"))))
      #expect(try daemon.listener("time") == listener)
      #expect(eventually { daemon.descriptorCount == descriptors }, "\(daemon.descriptorCount) not \(descriptors)")
      #expect(try daemon.reload(Self.time).contains("nothing has changed"))
    }
  }

  @Test func refusesAMissingFile() throws {
    try withDaemon(Self.time) { daemon in
      #expect(unlink(daemon.directory.path("begatd.toml")) == 0)
      let line = try daemon.reload()
      #expect(line.contains("reload refused"))
      let answer = try ask(daemon.address("time"))
      #expect(Expected.isTime(answer))
    }
  }

  @Test func aPortInUseUndoesEverythingElse() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("new.sock")
    let taken = try FreePorts.addresses(1)[0]
    let holder = try ListeningSocket(try #require(SocketAddress(taken)), backlog: 1)
    let daemon = try Daemon(Self.time, in: directory)
    let listener = try daemon.listener("time")
    let descriptors = daemon.descriptorCount
    let text =
      "[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(path)\", \"\(taken)\"]\n"
      + SampleConfiguration.service("time", serving: "daytime")
    #expect(try daemon.reload(text).contains("reload refused"))
    let lines = daemon.log.lines(containing: "begatd.toml:1:10: service.echo: bind \(taken): Address already in use")
    #expect(lines.count == 1, "\(daemon.log.text)")
    #expect(!directory.exists("new.sock"))
    #expect(eventually { daemon.descriptorCount == descriptors }, "\(daemon.descriptorCount) not \(descriptors)")
    #expect(Expected.isTime(try ask(daemon.address("time"))))
    #expect(try daemon.listener("time") == listener)
    _ = consume holder
    #expect(try daemon.reload().contains("changed time (serve); added echo"))
    #expect(try ask(taken, "x") == Array("x".utf8))
    try daemon.stop()
  }

  @Test func aListenerThatCannotStartLeavesTheOneBefore() throws {
    let directory = try TemporaryDirectory()
    try directory.make("bin")
    let begatd = directory.path("bin/begatd")
    _ = try RunningProgram.tool("cp", [try Programs.begatd(), begatd])
    try directory.write(
      "#!/bin/sh\n[ -e \(directory.path("broken")) ] && exit 3\nexec \(try Programs.listener()) \"$@\"\n",
      to: "bin/begat-listener", mode: 0o755)
    // Lines of connections would crowd out the one that is awaited.
    let quiet = Self.time + "log = \"problems\"\n"
    let daemon = try Daemon(quiet, in: directory, begatd: begatd)
    let old = try daemon.listener("time")
    try directory.write("", to: "broken")
    let line = try daemon.reload(quiet + "max-connections = 9\n")
    #expect(line.contains("changed time (max-connections)") && line.contains("not started: time: "), "\(line)")
    let clients = ContinuousClients(2, at: try daemon.address("time")) { !$0.isEmpty }
    try clients.await(more: 50)
    #expect(try daemon.listener("time") == old)
    // Attempts after 1 and 2 seconds more, and still one line.
    #expect(
      !daemon.log.wait(within: .milliseconds(3500)) {
        $0.components(separatedBy: "begatd: time: the new listener did not start").count > 2
      })
    unlink(directory.path("broken"))
    try daemon.log.awaitLines(containing: "time: listener started, after", within: .seconds(10))
    #expect(eventually { daemon.generations("time").allSatisfy { $0 != old } })
    try clients.await(more: 20)
    #expect(try clients.stop().problems.isEmpty)
    try daemon.stop()
  }
}
