import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Programs of begat whose files are renamed, removed or replaced while begatd runs.
@Suite(.timeLimit(.minutes(5)))
struct ReplacedProgramTests {
  enum Change: CaseIterable {
    case renamed, removed, replaced

    func apply(to path: String) throws {
      switch self {
      case .renamed: #expect(rename(path, path + ".old") == 0)
      case .removed: #expect(unlink(path) == 0)
      case .replaced:
        // As a package does it: another file takes the name.
        try "#!/bin/sh\nexit 3\n".write(toFile: path + ".new", atomically: false, encoding: .utf8)
        chmod(path + ".new", 0o755)
        #expect(rename(path + ".new", path) == 0)
      }
    }
  }

  private static let title = (names: "begatd: names", log: "begatd: log")

  private static func child(_ title: String, of daemon: Daemon, except old: pid_t? = nil) -> pid_t? {
    ProcessFacts.children(of: daemon.process).first {
      $0.title.hasPrefix(title) && !$0.isZombie && $0.process != old
    }?.process
  }

  /// Waits for a child of begatd.
  private static func awaitChild(_ title: String, of daemon: Daemon, except old: pid_t? = nil) throws -> pid_t {
    var found: pid_t?
    _ = eventually(within: .seconds(10)) {
      found = child(title, of: daemon, except: old)
      return found != nil
    }
    return try #require(found, "no \(title)")
  }

  private static func name(_ process: pid_t) -> String? { ProcessFacts.statusLine("Name", of: process) }

  @Test(arguments: Change.allCases)
  func everyProgramIsStartedAgainAsBefore(change: Change) throws {
    let directory = try TemporaryDirectory()
    try directory.make("bin")
    let begatd = directory.path("bin/begatd")
    let listener = directory.path("bin/begat-listener")
    _ = try RunningProgram.tool("cp", [try Programs.begatd(), begatd])
    _ = try RunningProgram.tool("cp", [try Programs.listener(), listener])
    let configuration =
      "[daemon]\nlog-target = \"file\"\nlog-file = \"\(directory.path("log"))\"\n"
      + SampleConfiguration.service("time", "log = \"problems\"") + SampleConfiguration.service("hello")
    let daemon = try Daemon(configuration, in: directory, begatd: begatd)
    let clients = ContinuousClients(4, at: try daemon.address("time")) { !$0.isEmpty }
    let before = (
      listener: try daemon.listener("time"), names: try Self.awaitChild(Self.title.names, of: daemon),
      log: try Self.awaitChild(Self.title.log, of: daemon)
    )
    #expect(Self.name(before.listener) == "begat-listener" && Self.name(before.names) == "begatd")

    try change.apply(to: begatd)
    try change.apply(to: listener)
    try clients.await(more: 20)
    // The log first: what happens until its next writer is there is lost.
    try Signal.kill.send(to: before.log)
    let log = try Self.awaitChild(Self.title.log, of: daemon, except: before.log)
    // It lets its connections end; what waits is accepted by the next one.
    try Signal.terminate.send(to: before.listener)
    try Signal.kill.send(to: before.names)
    let after = (
      listener: try Self.awaitChild("begat-listener: time", of: daemon, except: before.listener),
      names: try Self.awaitChild(Self.title.names, of: daemon, except: before.names)
    )
    #expect(eventually { Self.name(after.listener) == "begat-listener" }, "\(Self.name(after.listener) ?? "")")
    #expect(eventually { Self.name(after.names) == "begatd" && Self.name(log) == "begatd" })
    try clients.await(more: 20)
    #expect(try clients.stop().problems.isEmpty)
    try daemon.stop()
    let text = try String(contentsOfFile: directory.path("log"), encoding: .utf8)
    #expect(text.contains("names: the resolver ended") && !text.contains("cannot be started"), "\(text)")
    #expect(text.hasSuffix("stopped\n"), "\(text)")
  }

  @Test func aListenerThatIsRemovedBeforeTheStartIsMissed() throws {
    let directory = try TemporaryDirectory()
    let begatd = directory.path("begatd")
    _ = try RunningProgram.tool("cp", [try Programs.begatd(), begatd])
    let file = try directory.write(SampleConfiguration.service("time"), to: "begatd.toml")
    let run = try RunningProgram.run(begatd, ["--config", file])
    #expect(run.status == .exited(code: 1))
    #expect(
      run.errors.text == "begatd: execve \(directory.path("begat-listener")): No such file or directory\n",
      "\(run.errors.text)")
  }
}
