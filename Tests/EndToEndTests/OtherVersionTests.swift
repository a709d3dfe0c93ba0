import CSharedLayouts
import ControlProtocol
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A begatd and listeners of other versions, as they meet after an upgrade.
@Suite(.timeLimit(.minutes(5)))
struct OtherVersionTests {
  private static func configuration(_ lines: String = "") -> String {
    SampleConfiguration.service("time", lines)
  }

  /// A begatd whose next listener is of another version as long as the file "other" is there.
  private static func daemon(in directory: TemporaryDirectory) throws -> Daemon {
    try directory.make("bin")
    let begatd = directory.path("bin/begatd")
    _ = try RunningProgram.tool("cp", [try Programs.begatd(), begatd])
    try directory.write(
      """
      #!/bin/sh
      [ -e \(directory.path("other")) ] && exec \(try TestPrograms.otherListener()) "$@"
      exec \(try Programs.listener()) "$@"

      """, to: "bin/begat-listener", mode: 0o755)
    return try Daemon(configuration(), in: directory, begatd: begatd)
  }

  private static let answer = "another version\n"

  private static func status(_ daemon: Daemon) throws -> (daemon: [String: Any], service: [String: Any]) {
    let report: [String: Any] = try json(
      runBegat("status", "--json", "--control", daemon.directory.path("run/control")))
    let services = try #require(report["services"] as? [[String: Any]])
    return (try #require(report["begatd"] as? [String: Any]), try #require(services.first))
  }

  @Test func aListenerOfAnotherVersionServesAndIsReplaced() throws {
    let directory = try TemporaryDirectory()
    try directory.write("", to: "other")
    let daemon = try Self.daemon(in: directory)
    let address = try daemon.address("time")
    for _ in 0..<5 { #expect(String(decoding: try ask(address), as: UTF8.self) == Self.answer) }
    try daemon.log.awaitLines(containing: "time: a line of another version")
    try daemon.log.awaitLines(containing: "is of another version: its connections go on, and are missing in this log")
    // Two records of each client.
    #expect(eventually { (try? Self.status(daemon).daemon["lost-log-messages"] as? Int) == 10 })
    // Nothing in its scoreboard is taken for a connection or a count.
    let service = try Self.status(daemon).service
    #expect(service["accepted"] as? Int == 0 && service["active"] as? Int == 0, "\(service)")
    #expect(try runBegat("ps", "--json", "--control", directory.path("run/control")).output.text.contains("[]"))

    unlink(directory.path("other"))
    let clients = ContinuousClients(4, at: address) { !$0.isEmpty }
    let old = try #require(
      ProcessFacts.children(of: daemon.process).first { $0.title.contains("other-listener") }
    ).process
    #expect(try daemon.reload(Self.configuration("max-connections = 9")).contains("changed time (max-connections)"))
    #expect(eventually { !ProcessFacts.children(of: daemon.process).contains { $0.process == old } })
    try clients.await(more: 20)
    #expect(try clients.stop().problems.isEmpty)
    #expect(Expected.isTime(try ask(address)))
    #expect(try Self.status(daemon).service["accepted"] as? Int ?? 0 > 20)
    #expect(!daemon.log.text.contains("unreadable"))
    try daemon.stop()
  }

  /// The slots of the version before are half as large.
  @Test func aListenerWithASmallerScoreboardIsTakenOver() throws {
    let directory = try TemporaryDirectory()
    let manager = try StoringManager(in: directory)
    try manager.start(SampleConfiguration.service("echo", "max-connections-per-source = 1"))
    let idle = try IdleClient("echo", manager)
    let board = "begat-board echo 1"
    try manager.awaitNames { $0.contains(board) && $0.contains { $0.hasPrefix("begat-state ") } }
    try manager.daemon.kill()
    let half = MemoryLayout<begat_slot>.stride / 2
    let object = try MemoryFile.create(name: "board", size: Scoreboard.size(slotCount: 0) + 256 * half)
    var header = begat_scoreboard()
    header.magic = UInt32(BEGAT_SCOREBOARD_MAGIC)
    header.version = UInt16(BEGAT_SCOREBOARD_VERSION) - 1
    header.slot_size = UInt16(half)
    header.slot_count = 256
    header.active = 1
    try withUnsafeBytes(of: header) { try object.writeAll($0) }
    manager.replace(board, by: object)
    try manager.start()
    try idle.ask()
    let status = try manager.begat("status", "--json")
    #expect(status.contains("\"draining\"") || status.contains("\"retiring\""), "\(status)\n\(manager.log)")
    // Its client counts for the next listener too, until it goes.
    let address = try manager.address("echo")
    #expect(try Client(address).receiveAll() == [], "\(manager.log)")
    idle.client.hangUp()
    #expect(eventually { (try? ask(address, "x")) == Array("x".utf8) }, "\(manager.log)")
    try manager.awaitNames { !$0.contains("begat-channel echo 1") && !$0.contains(board) }
    try manager.end()
  }
}
