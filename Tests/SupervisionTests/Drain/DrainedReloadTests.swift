import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// What a new configuration changes while services are drained.
@Suite(.timeLimit(.minutes(30))) struct DrainedReloadTests {
  private static let first = Loaded.service("first", "listen-stream = [\"127.0.0.1:1001\"]")
  private static let second = Loaded.service("second", "listen-stream = [\"127.0.0.1:1002\"]")

  /// The plan from one text to another; the drained service has no socket but passed ones.
  private func plan(from old: String, drained: String, to new: String) throws -> ReloadPlan {
    let before = try Loaded.configuration(old)
    let open = Loaded.open(before).filter { $0.service != drained || $0.passedName != nil }
    return ReloadPlan(
      from: before.services.map { ReloadPlan.Running(configuration: $0.configuration, inputs: $0.inputs) },
      daemon: before.configuration.daemon, open: open, drained: [drained], to: try Loaded.configuration(new))
  }

  @Test func nothingIsBoundForOne() throws {
    let plan = try plan(from: Self.first + Self.second, drained: "first", to: Self.first + Self.second)
    #expect(plan.isEmpty && plan.newSockets == 0)
    #expect(plan.sockets.sources[0].isEmpty && plan.isDrained(0) && !plan.isDrained(1))
  }

  @Test func itsSettingsChangeAllTheSame() throws {
    let plan = try plan(
      from: Self.first + Self.second, drained: "first", to: Self.first + "max-connections = 7\n" + Self.second)
    #expect(plan.changed.map(\.reasons) == [["max-connections"]])
    #expect(plan.newSockets == 0)
  }

  @Test func anotherServiceMayHaveItsAddress() throws {
    let plan = try plan(
      from: Self.first + Self.second, drained: "first",
      to: Self.first.replacing("1001", with: "1003") + Self.second.replacing("1002", with: "1001"))
    #expect(plan.sockets.sources[0].isEmpty)
    #expect(plan.newSockets == 1)
  }

  @Test func passedSocketsStayItsOwn() throws {
    let passed = Loaded.service("first", "listen-stream = [\"fd:a\"]")
    for new in [passed, Self.first] {
      let plan = try plan(from: passed + Self.second, drained: "first", to: new + Self.second)
      #expect(plan.sockets.sources[0] == [.open(0)])
      #expect(plan.sockets.rest.isEmpty && plan.newSockets == 0)
    }
    let moved = try plan(
      from: passed + Self.second, drained: "first",
      to: Self.first + Self.second.replacing("\"127.0.0.1:1002\"", with: "\"fd:a\""))
    #expect(moved.sockets.sources == [[], [.open(0)]])
  }

  /// Drained, removed, and there again.
  @Test func anAddedOneMayBeDrainedToo() throws {
    let plan = try plan(from: Self.second, drained: "first", to: Self.first + Self.second)
    #expect(plan.added == [0] && plan.isDrained(0) && plan.newSockets == 0)
    #expect(plan.report(isDryRun: true).warnings.contains { $0.hasPrefix("service.first: ") })
    #expect(plan.report(isDryRun: true).added == ["first"])
  }
}
