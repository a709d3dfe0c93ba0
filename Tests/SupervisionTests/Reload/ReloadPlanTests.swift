import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// What a new configuration changes.
@Suite(.timeLimit(.minutes(30))) struct ReloadPlanTests {
  private static let first = Loaded.service("first", "listen-stream = [\"127.0.0.1:1001\"]")
  private static let second = Loaded.service("second", "listen-stream = [\"127.0.0.1:1002\"]")

  @Test func anEqualConfigurationChangesNothing() throws {
    let plan = try Loaded.plan(from: Self.first + Self.second, to: Self.first + Self.second)
    #expect(plan.isEmpty)
    #expect(plan.report(isDryRun: true).unchanged == 2)
    #expect(plan.kept.allSatisfy { !$0.needsListener })
  }

  @Test(
    "what has no effect is no change",
    arguments: [
      // Other places and words for the same.
      second + "# a comment\n" + first,
      first.replacing("\"127.0.0.1:1001\"", with: "\"127.0.0.1:01001\"") + second,
      first + "idle-timeout = \"600s\"\n" + second,
      // A disabled service is none.
      first + second + Loaded.service("third", "enabled = false", "listen-stream = [\"127.0.0.1:1003\"]"),
    ])
  func ignoresWhatHasNoEffect(text: String) throws {
    let plan = try Loaded.plan(from: Self.first + Self.second, to: text)
    #expect(plan.isEmpty, "\(plan.report(isDryRun: true))")
    #expect(plan.sockets.rest.isEmpty)
  }

  @Test(
    "a key that a listener obeys changes that listener alone",
    arguments: [
      ("max-connections = 7", "max-connections"), ("deny = [\"192.0.2.0/24\"]", "deny"), ("log = \"none\"", "log"),
      ("rate = \"5/s\"", "rate"), ("keep-alive = false", "keep-alive"),
    ])
  func changesOneListener(line: String, key: String) throws {
    let plan = try Loaded.plan(from: Self.first + Self.second, to: Self.first + line + "\n" + Self.second)
    let change = try #require(plan.changed.first)
    #expect(plan.changed.count == 1)
    #expect(plan.wanted[change.new].configuration.name == "first")
    #expect(change.reasons == [key])
    #expect(change.needsListener)
    #expect(plan.sockets.rest.isEmpty && plan.newSockets == 0)
  }

  @Test func aKeyOfSocketsAloneNeedsNoListener() throws {
    let plan = try Loaded.plan(from: Self.first, to: Self.first + "backlog = 17\n")
    #expect(plan.changed.map(\.reasons) == [["backlog"]])
    #expect(plan.changed.map(\.needsListener) == [false])
  }

  @Test func servicesComeAndGo() throws {
    let plan = try Loaded.plan(from: Self.first, to: Self.second)
    let report = plan.report(isDryRun: false)
    #expect(report.added == ["second"] && report.removed == ["first"] && report.changed.isEmpty)
    #expect(plan.sockets.rest == [0])
    #expect(plan.newSockets == 1)
  }

  @Test func aRenamedServiceKeepsItsSocket() throws {
    let plan = try Loaded.plan(from: Self.first, to: Self.first.replacing("service.first", with: "service.other"))
    let report = plan.report(isDryRun: false)
    #expect(report.added == ["other"] && report.removed == ["first"])
    #expect(plan.sockets.sources == [[.open(0)]])
    #expect(plan.sockets.rest.isEmpty && plan.newSockets == 0)
  }

  @Test func aDatagramPortMoreConcernsThoseThatAnswerDatagrams() throws {
    let answering = Loaded.service("answering", "listen-datagram = [\"127.0.0.1:1003\"]")
    let another = Loaded.service("another", "listen-datagram = [\"127.0.0.1:1004\"]")
    let plan = try Loaded.plan(from: Self.first + answering, to: Self.first + answering + another)
    #expect(plan.changed.map { plan.wanted[$0.new].configuration.name } == ["answering"])
    #expect(plan.changed.map(\.needsListener) == [true])
    #expect(plan.report(isDryRun: true).unchanged == 1)
  }

  @Test func inputsThatChangedChangeTheService() throws {
    let text = Self.first.replacing("\"time\"", with: "\"daytime\"")
    let before = try Loaded.configuration(text)
    var after = before
    after.services[0].inputs.timeZone[0].inode += 1
    let plan = ReloadPlan(
      from: before.services.map { ReloadPlan.Running(configuration: $0.configuration, inputs: $0.inputs) },
      daemon: before.configuration.daemon, open: Loaded.open(before), to: after)
    #expect(plan.changed.map(\.reasons) == [["time zone"]])
    #expect(plan.changed.map(\.needsListener) == [true])
  }

  @Test func daemonKeysApplyOrNeedARestart() throws {
    let daemon = "[daemon]\nlog-level = \"debug\"\ndrain-timeout = \"5s\"\nlog-target = \"syslog\"\n"
    let plan = try Loaded.plan(from: Self.first, to: daemon + Self.first)
    #expect(plan.daemonKeys == ["log-level", "drain-timeout"])
    #expect(plan.needingRestart == ["log-target"])
    #expect(plan.changed.isEmpty)
  }

  @Test func theSummaryIsOneLineOfBoundedLength() throws {
    let names = (0..<30).map { "s\($0)" }
    let texts = names.enumerated().map { Loaded.service($1, "listen-stream = [\"127.0.0.1:\(1001 + $0)\"]") }
    let plan = try Loaded.plan(from: Self.second.replacing("1002", with: "999"), to: texts.joined())
    let summary = ReloadSummary(plan.report(isDryRun: false), []).description
    #expect(summary == "added s0, s1, s2, s3, s4, s5, s6, s7 and 22 more; removed second; 0 services unchanged")
  }
}

extension String {
  /// Foundation has one too.
  fileprivate func replacing(_ part: String, with other: String) -> String {
    var rest = self[...]
    var result = ""
    while let range = rest.firstRange(of: part) {
      result += rest[..<range.lowerBound] + other
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
