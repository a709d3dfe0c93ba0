import Testing

@testable import Configuration

/// Files with more problems than anybody reads.
@Suite(.timeLimit(.minutes(30))) struct ProblemCollectorTests {
  private func text(_ count: Int, _ line: (Int) -> String) -> String { (0..<count).map { line($0) + "\n" }.joined() }

  @Test("tells the first hundred and how many more there are", arguments: [100, 101, 102, 1000])
  func tellsAHundred(count: Int) {
    let problems = Configuration.problems(echo + text(count) { "k\($0) = 1" })
    #expect(Array(problems.prefix(100)) == (0..<100).map { "t.toml:\($0 + 4):1: service.x.k\($0): unknown key" })
    let rest =
      switch count {
      case 100: [String]()
      case 101: ["t.toml: and 1 more problem"]
      default: ["t.toml: and \(count - 100) more problems"]
      }
    #expect(Array(problems.dropFirst(100)) == rest)
  }

  @Test("counts each file's")
  func countsEachFile() throws {
    func file(_ name: String, _ count: Int, _ table: String) -> ConfigurationFiles.Text {
      ConfigurationFiles.Text(
        file: name, bytes: Array("[service.\(table)]\nserve = \"echo\"\n\(text(count) { "k\($0) = 1" })".utf8))
    }
    do throws(ConfigurationProblems) {
      _ = try Configuration.read(
        [file("a", 150, "x"), file("b", 3, "y")], source: "a", in: .sample())
      Issue.record("was taken")
    } catch {
      let lines = error.problems.map(\.description)
      // Either lacks its address as well.
      #expect(lines.count == 101 + 4)
      #expect(lines[100] == "a: and 51 more problems", "\(lines[100])")
    }
  }

  enum Mess: String, CaseIterable {
    case keys, variables, elements, tables

    func text(_ count: Int) -> String {
      let lines = (0..<count)
      return switch self {
      case .keys: echo + lines.map { "k\($0) = 1\n" }.joined()
      case .variables: echo + "[service.x.environment]\n" + lines.map { "k\($0) = 1\n" }.joined()
      case .elements: echo + "allow = [" + lines.map { "\"k\($0)\"," }.joined() + "]"
      case .tables: lines.map { "[k\($0)]\n" }.joined()
      }
    }
  }

  @Test("takes no longer for each when there are many", arguments: Mess.allCases)
  func takesItsTime(mess: Mess) {
    var count = 0
    let duration = ContinuousClock().measure { count = Configuration.problems(mess.text(60_000)).count }
    #expect(count >= 101, "\(mess)")
    #expect(duration < .seconds(30), "\(mess): \(duration)")
  }

  @Test("tells what both readers of a list find")
  func tellsBoth() {
    let expected = "a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7, or unix:USER"
    #expect(
      Configuration.problems(echo + "allow = [\"10.0.0.1/8\", 7, \"::1\", \"x\", \"unix:\"]") == [
        "t.toml:4:10: service.x.allow: \"10.0.0.1/8\": bits after the prefix are set; did you mean 10.0.0.0/8?",
        "t.toml:4:24: service.x.allow: expected a network or unix:USER in quotes such as \"192.0.2.0/24\", found 7",
        "t.toml:4:34: service.x.allow: expected \(expected), found \"x\"",
        "t.toml:4:39: service.x.allow: expected unix:USER or unix:*, found \"unix:\"",
      ])
    #expect(
      Configuration.problems("[service.x]\nserve = \"echo\"\nlisten-stream = [7, true, \"y:1\"]") == [
        "t.toml:3:18: service.x.listen-stream: expected an address in quotes such as \"127.0.0.1:2345\", found 7; write \"7\"",
        "t.toml:3:21: service.x.listen-stream: expected an address in quotes such as \"127.0.0.1:2345\", found true",
        "t.toml:3:27: service.x.listen-stream: expected an address, not a name: \"y:1\"",
      ])
    #expect(
      Configuration.problems(
        "[service.x]\nserve = \"hello\"\nlisten-stream = \"127.0.0.1:9\"\nfortune.databases = [\"a\", \"/nonexistent\", 3]"
      ).map { $0.split(separator: " ").last } == ["\"a\"", "directory", "3"])
  }
}

private let echo = "[service.x]\nserve = \"echo\"\nlisten-stream = \"127.0.0.1:9\"\n"
