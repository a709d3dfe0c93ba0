import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// begatd becomes another program in the same process, and no client notices.
@Suite(.timeLimit(.minutes(10)))
struct UpgradeTests {
  private static func configuration(_ directory: TemporaryDirectory) -> String {
    """
    [daemon]
    drain-timeout = "1h"
    [defaults]
    rate = "none"
    rate-per-source = "none"
    max-connections-per-source = 256
    log = "problems"
    [service.echo]
    serve = "echo"
    listen-stream = ["127.0.0.1:0", "\(directory.path("echo.sock"))"]
    listen-datagram = ["127.0.0.1:0"]
    allow = ["127.0.0.0/8", "unix:*"]
    [service.hello]
    serve = "hello"
    listen-stream = ["127.0.0.1:0"]
    [service.cat]
    exec = ["/bin/cat"]
    listen-stream = ["127.0.0.1:0"]
    [service.relayed]
    exec = ["/bin/cat"]
    relay = true
    listen-stream = ["127.0.0.1:0"]

    """
  }

  static func greet(_ client: Client, _ text: String = "hello") throws {
    try client.send(text)
    #expect(try client.receive(count: text.utf8.count) == Array(text.utf8))
  }

  private static func expectUpgrade(
    of installation: Installation, replacing listeners: Int, connections: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let run = try installation.upgrade()
    let goOn = connections == 1 ? "1 connection goes on" : "\(connections) connections go on"
    #expect(run.status == .exited(code: 0), "\(run.errors.text)", sourceLocation: sourceLocation)
    let text = run.output.text
    #expect(
      text.hasPrefix("upgraded from ") && text.contains("; \(listeners) listeners replaced, ")
        && (connections < 0 || text.hasSuffix(" \(goOn)\n")), "\(text)", sourceLocation: sourceLocation)
  }

  @Test func twentyUpgradesRefuseNoClientAndCutNoConnection() throws {
    let installation = try Installation()
    let directory = installation.directory
    let daemon = try installation.daemon(Self.configuration(directory))
    let idle = try (0..<8).map { index in
      let client = try Client(try daemon.address(["echo", "cat", "relayed", "echo"][index % 4], "127."))
      try Self.greet(client)
      return client
    }
    try Self.expectUpgrade(of: installation, replacing: 4, connections: 8)
    let descriptors = daemon.descriptorCount
    let streams = try ["echo", "cat", "relayed"].map { try EchoClients(2, at: daemon.address($0, "127.")) }
    let unix = try EchoClients(2, at: directory.path("echo.sock"))
    let datagrams = try EchoClients(2, at: daemon.address("echo", datagram: true), isDatagram: true)
    for number in 1..<20 {
      // Another file, or the same one again.
      if number % 5 == 0 { try installation.renew() }
      try Self.expectUpgrade(of: installation, replacing: 4, connections: -1)
    }
    for clients in streams + [unix, datagrams] {
      let report = try clients.stop()
      #expect(report.refused == 0 && report.lost.isEmpty && report.served > 100, "\(report)")
    }
    for client in idle { try Self.greet(client, "still here") }
    let shown = try runBegat("ps", "--json", "--control", directory.path("run/control"))
    let connections = try #require(json(shown, as: [String: Any].self)["connections"] as? [Any])
    #expect(connections.count >= 8)
    #expect(eventually { daemon.descriptorCount <= descriptors }, "\(descriptors), then \(daemon.descriptorCount)")
    #expect(ProcessFacts.statusLine("Name", of: daemon.process) == "begatd")
    #expect(daemon.log.lines(containing: "upgraded from ").count == 20)
    for client in idle { client.hangUp() }
    try daemon.stop()
  }

  // MARK: Programs that cannot take over

  enum Fault: CaseIterable {
    case exits, hangs, lacksTheOption, isTruncated, isNotExecutable, isMissing, hasNoListener

    var reason: String {
      switch self {
      case .exits: "is no begatd that can take over from a running one: exit 3"
      case .hangs: "does not answer within 10s"
      case .lacksTheOption: "Unknown option '--take-over'"
      case .isTruncated: "execve "
      case .isNotExecutable: "Permission denied"
      case .isMissing: "No such file or directory"
      case .hasNoListener: "begat-listener: No such file or directory"
      }
    }

    func install(in installation: Installation) throws {
      switch self {
      case .exits: try installation.replaceBegatd(by: "#!/bin/sh\nexit 3\n")
      case .hangs: try installation.replaceBegatd(by: "#!/bin/sh\nexec sleep 1000\n")
      case .lacksTheOption:
        try installation.replaceBegatd(by: "#!/bin/sh\necho \"Error: Unknown option '--take-over'\" >&2\nexit 64\n")
      case .isTruncated:
        _ = try RunningProgram.tool(
          "dd", ["if=\(try Programs.begatd())", "of=\(installation.begatd).new", "bs=100000", "count=1"])
        chmod(installation.begatd + ".new", 0o755)
        #expect(rename(installation.begatd + ".new", installation.begatd) == 0)
      case .isNotExecutable: try installation.replaceBegatd(by: "#!/bin/sh\nexit 0\n", mode: 0o644)
      case .isMissing: unlink(installation.begatd)
      case .hasNoListener:
        try installation.renew()
        unlink(installation.listener)
      }
    }
  }

  @Test(arguments: Fault.allCases)
  func aProgramThatCannotTakeOverIsRefused(fault: Fault) throws {
    let installation = try Installation()
    let daemon = try installation.daemon(SampleConfiguration.service("echo"))
    let held = try Client(try daemon.address("echo"))
    try Self.greet(held)
    let listener = try daemon.listener("echo")
    try fault.install(in: installation)
    let run = try installation.upgrade()
    #expect(run.status == .exited(code: 1))
    #expect(run.errors.text.contains(fault.reason) || fault == .isTruncated, "\(run.errors.text)")
    #expect(run.errors.text.contains("; begatd 0.1.0 goes on\n"), "\(run.errors.text)")
    try daemon.log.awaitLines(containing: "begatd: upgrade refused: ")
    #expect(try daemon.listener("echo") == listener)
    try Self.greet(held)
    try Self.greet(try Client(try daemon.address("echo")))
    // The child that was tried is gone.
    #expect(ProcessFacts.children(of: daemon.process).map(\.process) == [listener])
    try installation.renew()
    #expect(try installation.upgrade().output.text.contains("1 listener replaced, "))
    try Self.greet(held)
    held.hangUp()
    try daemon.stop()
  }

  @Test func whenTheNewProgramCannotGoOnTheOneBeforeComesBack() throws {
    let installation = try Installation()
    let daemon = try installation.daemon(SampleConfiguration.service("echo"))
    let held = try Client(try daemon.address("echo"))
    try Self.greet(held)
    let listener = try daemon.listener("echo")
    let clients = try EchoClients(2, at: daemon.address("echo"))
    try installation.wrapBegatd(Installation.losingBans)
    let run = try installation.upgrade()
    #expect(run.status == .exited(code: 1), "\(run.output.text)")
    #expect(run.errors.text.contains("begat upgrade: the new program could not go on: "), "\(run.errors.text)")
    #expect(run.errors.text.contains("Bad file descriptor; begatd 0.1.0 goes on\n"), "\(run.errors.text)")
    try daemon.log.awaitLines(containing: "begatd: upgrade failed: the new program could not go on: ")
    // With listeners of its own, because those before read a table of bans that it cannot write any more.
    #expect(eventually { daemon.generations("echo").last != listener })
    #expect(ProcessFacts.statusLine("Name", of: daemon.process) == "begatd")
    try Self.greet(held)
    #expect(try runBegat("status", "--control", installation.directory.path("run/control")).status == .exited(code: 0))
    try installation.renew()
    try Self.expectOneListener(installation)
    try Self.greet(held)
    let report = try clients.stop()
    #expect(report.refused == 0 && report.lost.isEmpty, "\(report)")
    held.hangUp()
    try daemon.stop()
  }

  static func expectOneListener(_ installation: Installation) throws {
    let run = try installation.upgrade()
    #expect(run.output.text.contains("; 1 listener replaced, "), "\(run.output.text)\(run.errors.text)")
  }

  // MARK: What goes on

  @Test func aStopSignalThatComesMeanwhileIsObeyed() throws {
    let installation = try Installation()
    let daemon = try installation.daemon(SampleConfiguration.service("time"))
    #expect(try ask(daemon.address("time")).count == 4)
    try installation.wrapBegatd("kill -TERM $$")
    _ = try installation.upgrade()
    try daemon.awaitEnd()
    #expect(daemon.log.text.contains("begatd: stopped"))
  }

  @Test func ordersAndCountsGoOn() throws {
    let installation = try Installation()
    let control = installation.directory.path("run/control")
    let daemon = try installation.daemon(
      SampleConfiguration.service("time") + SampleConfiguration.service("echo") + SampleConfiguration.service("daytime")
    )
    for _ in 0..<5 { #expect(try ask(daemon.address("time")).count == 4) }
    #expect(try runBegat("deny", "192.0.2.0/24", "--control", control).status == .exited(code: 0))
    #expect(try runBegat("drain", "daytime", "--wait", "--control", control).status == .exited(code: 0))
    func status() throws -> [String: Any] { try json(runBegat("status", "--json", "--control", control)) }
    func services() throws -> [String: [String: Any]] {
      let list = try #require(try status()["services"] as? [[String: Any]])
      return Dictionary(uniqueKeysWithValues: list.map { ($0["name"] as? String ?? "", $0) })
    }
    for _ in 0..<2 {
      let run = try installation.upgrade()
      #expect(run.output.text.contains("; 2 listeners replaced, "), "\(run.output.text)\(run.errors.text)")
      #expect(try services()["time"]?["accepted"] as? Int == 5)
      #expect(try services()["daytime"]?["state"] as? String == "drained")
      #expect((try status()["denials"] as? [[String: Any]])?.first?["network"] as? String == "192.0.2.0/24")
    }
    #expect(try runBegat("resume", "daytime", "--control", control).status == .exited(code: 0))
    #expect(try eventually(within: .seconds(15)) { try services()["daytime"]?["state"] as? String == "serving" })
    try daemon.stop()
  }

  @Test func aReturningServiceKeepsItsStateAndCounts() throws {
    let installation = try Installation()
    let control = installation.directory.path("run/control")
    let echo = SampleConfiguration.service("echo")
    func service(_ name: String) throws -> [String: Any]? {
      let status = try json(runBegat("status", "--json", "--control", control), as: [String: Any].self)
      let services = try #require(status["services"] as? [[String: Any]])
      return services.first { $0["name"] as? String == name }
    }
    let daemon = try installation.daemon(echo + SampleConfiguration.service("time"))
    for _ in 0..<5 { #expect(try ask(daemon.address("time")).count == 4) }
    let held = try Client(try daemon.address("echo"))
    try Self.greet(held)
    // Its listener of before is there still, and accepts no clients.
    for text in [SampleConfiguration.service("daytime"), echo] {
      #expect(try daemon.reload(text).contains("reloaded in"))
    }
    #expect(try service("echo")?["state"] as? String == "serving")
    try Self.expectOneListener(installation)
    #expect(try service("echo")?["state"] as? String == "serving")
    #expect(try daemon.reload(echo + SampleConfiguration.service("time")).contains("reloaded in"))
    #expect(try service("time")?["accepted"] as? Int == 5)
    try Self.greet(held)
    held.hangUp()
    try daemon.stop()
  }

  /// Neither the new program nor the one before could be sure to go on with it: a port may be taken, which no trial finds.
  @Test func aChangedConfigurationIsPutInForceFirst() throws {
    let installation = try Installation()
    let echo = SampleConfiguration.service("echo")
    let daemon = try installation.daemon(echo)
    let held = try Client(try daemon.address("echo"))
    try Self.greet(held)
    let foreign = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    let taken = "\(try #require(try foreign.descriptor.localAddress().address))"
    try daemon.rewrite(echo + "[service.more]\nserve = \"time\"\nlisten-stream = [\"\(taken)\"]\n")
    let run = try installation.upgrade()
    #expect(run.status == .exited(code: 1) && run.errors.text.contains("put it in force first: begat reload"))
    try Self.greet(held)
    #expect(try daemon.reload(echo + "[service.time]\nserve = \"nothing\"\n").contains("reload refused"))
    #expect(try installation.upgrade().status == .exited(code: 1))
    #expect(try daemon.reload(echo + SampleConfiguration.service("daytime")).contains("reloaded in"))
    let upgraded = try installation.upgrade()
    #expect(upgraded.output.text.contains("; 2 listeners replaced, "), "\(upgraded.errors.text)")
    try Self.greet(held)
    held.hangUp()
    try daemon.stop()
  }

  @Test(.enabled(if: Machine.isRoot, "holds for a begatd that is root, or may become it"))
  func aFileThatOthersMayWriteIsRefused() throws {
    let installation = try Installation()
    let daemon = try installation.daemon(SampleConfiguration.service("echo"))
    try installation.renew()
    #expect(chmod(installation.begatd, 0o775) == 0)
    let run = try installation.upgrade()
    #expect(run.status == .exited(code: 1) && run.errors.text.contains("other users may write it; use chown root"))
    #expect(chmod(installation.begatd, 0o755) == 0)
    try Self.expectOneListener(installation)
    try daemon.stop()
  }

  @Test func theServiceManagerIsTold() throws {
    let installation = try Installation()
    let socket = try FakeManager(in: installation.directory)
    let daemon = try installation.daemon(
      SampleConfiguration.service("time"), environment: [socket.variable, "WATCHDOG_USEC=2000000"])
    _ = try socket.take(until: "READY=1")
    try Self.expectOneListener(installation)
    let messages = try socket.take(until: "RELOADING=1")
    #expect(messages.last?.contains { $0.hasPrefix("MONOTONIC_USEC=") } ?? false)
    #expect(try socket.take(until: "READY=1").last?.contains { $0.hasPrefix("STATUS=serving 1 of 1") } ?? false)
    for _ in 0..<4 { _ = try socket.take(until: "WATCHDOG=1", within: .seconds(2)) }
    try daemon.stop()
  }

  @Test func aLogFileLosesNothing() throws {
    let installation = try Installation()
    let path = installation.directory.path("log")
    let daemon = try installation.daemon(
      "[daemon]\nlog-target = \"file\"\nlog-file = \"\(path)\"\n" + SampleConfiguration.service("time"))
    for _ in 0..<5 {
      for _ in 0..<20 { #expect(try ask(daemon.address("time")).count == 4) }
      try Self.expectOneListener(installation)
    }
    try daemon.stop()
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count { $0.contains(" for 127.0.0.1:") } == 100)
    #expect(lines.count { $0.contains("upgraded from ") } == 5)
    #expect(!lines.contains { $0.contains("lost") })
  }

  @Test(.enabled(if: Machine.isRoot, "needs capabilities to pass on"))
  func ambientCapabilitiesGoOn() throws {
    let installation = try Installation()
    chmod(installation.directory.path, 0o777 | S_ISVTX)
    let names = "+setuid,+setgid,+kill,+net_bind_service"
    let wrapper = [
      try Programs.tool("setpriv"), "--reuid=61234", "--regid=61234", "--clear-groups", "--inh-caps=\(names)",
      "--ambient-caps=\(names)",
    ]
    let daemon = try installation.daemon(SampleConfiguration.service("time", "user = \"daemon\""), wrapper: wrapper)
    func sets() -> [String?] {
      ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map { ProcessFacts.statusLine($0, of: daemon.process) }
    }
    let before = sets()
    #expect(before[1] == "00000000000004e0" && before[2] == before[1], "\(before)")
    for _ in 0..<2 {
      try Self.expectOneListener(installation)
      #expect(sets() == before)
      #expect(try ask(daemon.address("time")).count == 4)
    }
    try daemon.stop()
  }

  @Test func anUpgradeIsRefusedWhileAnotherOneRunsAndDuringAStop() throws {
    let installation = try Installation()
    let daemon = try installation.daemon("[daemon]\nannounce-time = \"1h\"\n" + SampleConfiguration.service("time"))
    try installation.replaceBegatd(by: "#!/bin/sh\nexec sleep 1000\n")
    let first = try RunningProgram(
      try Programs.begat(), ["upgrade", "--control", installation.directory.path("run/control")])
    try daemon.log.awaitLines(containing: "\"request\":\"upgrade\"")
    let second = try installation.upgrade()
    #expect(second.errors.text.contains("an upgrade is under way already"), "\(second.errors.text)")
    try daemon.program.send(.terminate)
    #expect(try first.awaitEnd() == .exited(code: 1))
    #expect(first.errors.text.contains("begatd is stopping; begatd 0.1.0 goes on"), "\(first.errors.text)")
    #expect(try installation.upgrade().errors.text.contains("begatd is stopping"))
    try daemon.program.send(.terminate)
    try daemon.awaitEnd()
  }
}
