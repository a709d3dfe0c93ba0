import Testing

@testable import Configuration

/// Settings that a listener could not be told.
@Suite struct CommandLineCheckTests {
  private static let echo = "[service.x]\nserve = \"echo\"\nlisten-stream = \"127.0.0.1:9\"\n"

  private func networks(_ count: Int) -> String {
    "[" + (0..<count).map { "\"10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)\"" }.joined(separator: ", ") + "]"
  }

  @Test("has room for tens of thousands of networks")
  func hasRoom() throws {
    let service = try Configuration.sample(Self.echo + "allow = \(networks(45_000))").services[0]
    #expect(service.allow?.count == 45_000)
  }

  @Test("refuses more than the kernel hands over, and says of which key")
  func refusesMore() throws {
    let problems = Configuration.problems("\n" + Self.echo + "allow = \(networks(60_000))")
    try #require(problems.count == 1)
    let pattern =
      #/t\.toml:2:\d+: service\.x: the command line of its listener would take (\d+) bytes, (\d+) of them for allow, and Linux takes at most 2097152; shorten allow or share it out among services/#
    let match = try #require(problems[0].wholeMatch(of: pattern), "\(problems)")
    let (total, most) = (try #require(Int(match.1)), try #require(Int(match.2)))
    #expect(total > 2_097_152 && most > 60_000 * 35 && most < total)
  }

  @Test("counts what comes from defaults, and nothing of disabled services")
  func countsDefaults() {
    let defaults = "[defaults]\ndeny = \(networks(60_000))\n"
    #expect(Configuration.problems(defaults + Self.echo).count == 1)
    let disabled =
      Self.echo + "enabled = false\n[service.y]\nserve = \"echo\"\nlisten-stream = \"127.0.0.1:10\"\ndeny = []"
    #expect(Configuration.problems(defaults + disabled) == [])
  }

  @Test("refuses a word that no program can be given, where it stands")
  func refusesALongWord() {
    func problems(_ length: Int) -> [String] {
      let text = String(repeating: "x", count: length)
      return Configuration.problems(
        "[service.x]\nexec = [\"/bin/cat\", \"\(text)\"]\nlisten-stream = \"127.0.0.1:9\"\nuser = \"root\"")
    }
    #expect(problems(131_071) == [])
    #expect(
      problems(131_072) == [
        "t.toml:2:1: service.x.exec: expected at most 131071 bytes in one text, found 131072: no program can be given it"
      ])
  }

  @Test("counts the ports of datagram services, which every listener is told")
  func countsPorts() throws {
    var surroundings = Surroundings.sample()
    surroundings.argumentRoom = 120_000
    var text = ""
    for number in 1...3000 {
      text += "[service.s\(number)]\nserve = \"time\"\nlisten-datagram = \"127.0.0.1:\(number)\"\n"
    }
    let file = ConfigurationFiles.Text(file: "t.toml", bytes: Array(text.utf8))
    do throws(ConfigurationProblems) {
      _ = try Configuration.read([file], source: "t.toml", in: surroundings)
      Issue.record("was taken")
    } catch {
      #expect(error.problems.count == ProblemCollector.most + 1)
      #expect(
        error.problems[0].message.contains("114000 of them the ports of datagram services"), "\(error.problems[0])")
      #expect(error.problems.last?.description == "t.toml: and 2900 more problems")
    }
  }
}
