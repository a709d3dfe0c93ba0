import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

@Suite struct SuccessionTests {
  private static var everything: Succession {
    var succession = Succession()
    succession.kept = [Succession.Named(name: "begat-stream 127.0.0.1;80", number: 7)]
    succession.stored = ["begat-stream 127.0.0.1;80"]
    succession.passed = [Succession.Named(name: "http", number: 8)]
    succession.doors = [Succession.Door(path: "/run/c", number: 9, takesOrders: true, device: .max, inode: 1 << 63)]
    succession.asker = 10
    succession.begatd = Succession.Held(path: "/usr/sbin/begatd", number: 11)
    succession.listener = Succession.Held(path: "/usr/sbin/begat-listener", number: 12)
    succession.upgradePath = "/usr/local/sbin/begatd"
    succession.isDetached = true
    succession.startTime = 1 << 60
    succession.reloads = 3
    succession.refusedReloads = 4
    succession.keptDrains = ["a", "b"]
    return succession
  }

  @Test("says everything again that was written", arguments: [Succession(), everything])
  func isReadAsWritten(succession: Succession) throws {
    let document = try succession.write()
    #expect(try Succession(reading: document) == succession)
  }

  @Test("names every descriptor, and gives each another number")
  func renumbers() {
    #expect(Self.everything.numbers.sorted() == [7, 8, 9, 10, 11, 12])
    #expect(Self.everything.renumbered { $0 + 100 }.numbers.sorted() == [107, 108, 109, 110, 111, 112])
    #expect(Self.everything.renumbered { $0 } == Self.everything)
  }

  @Test(
    "refuses what it cannot read",
    arguments: ["", "[]", "{\"format\":2}", "{\"format\":1}", "{\"format\":1,\"kept\":5}"])
  func refuses(text: String) throws {
    let file = try MemoryFile.createSealable(name: "test", size: text.utf8.count)
    try file.writeAll(text)
    #expect(throws: SavedState.Problem.self) { try Succession(reading: file) }
  }

  @Test("names the options of a program that takes over")
  func writesOptions() {
    let invocation = Invocation(configurationFile: "/etc/b.toml", leavesListeners: true, pidFile: "/run/b.pid")
    #expect(
      invocation.arguments(Takeover(document: 7, former: 5, refusal: "no")) == [
        "--config", "/etc/b.toml", "--leave-listeners", "--pid-file", "/run/b.pid", "--take-over", "7",
        "--former-program", "5", "--refusal", "no",
      ])
    #expect(Invocation().arguments(Takeover(document: 3, isTrial: true)) == ["--take-over", "3", "--trial"])
  }

  @Test("finds the answer of a trial among other lines only if it is one")
  func readsTrialAnswers() {
    let answer = TrialAnswer(problems: ["one\u{1b}", "two"])
    #expect(TrialAnswer(line: answer.line.utf8.dropLast()) == answer)
    for line in ["", "{}", "{\"begatd-trial\":1}", "Error: Unknown option '--take-over'", "{\"version\":\"1\"}"] {
      #expect(TrialAnswer(line: line.utf8) == nil)
    }
  }
}
