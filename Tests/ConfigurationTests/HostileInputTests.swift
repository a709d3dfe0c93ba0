import Settings
import Testing

@testable import Configuration

/// Whatever the bytes are: they are a configuration, or there is at least one problem with a line.
@Suite(.timeLimit(.minutes(30))) struct HostileInputTests {
  private func problems(_ bytes: [UInt8]) -> [ConfigurationProblem] {
    do throws(ConfigurationProblems) {
      _ = try Configuration.sample(bytes: bytes)
      return []
    } catch { return error.problems }
  }

  private static func byte(_ byte: UInt8) -> String {
    "the byte 0x\(String(byte, radix: 16)) does not belong to UTF-8 here; save the file as UTF-8"
  }

  @Test(
    "names the line of bytes that are no text",
    arguments: [
      ([0x0a, 0x00], "t.toml:2:1: U+0000 (NUL) does not belong here; remove it"),
      ([0x61, 0x0a, 0x0a, 0xff], "t.toml:3:1: \(byte(0xff))"),
      ([0xef, 0xbb, 0xbf, 0xef, 0xbb], "t.toml:1:1: \(byte(0xef))"),
      (
        [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x5b, 0x25, 0x5d],
        "t.toml:1:1: U+FEFF cannot be seen; write an ordinary space"
      ),
      ([0x23, 0xed, 0xa0, 0x80], "t.toml:1:2: \(byte(0xed))"),
      ([0x23, 0xc0, 0x80], "t.toml:1:2: \(byte(0xc0))"),
      ([0xff, 0xfe, 0x61, 0x00], "t.toml:1:1: this is UTF-16; save the file as UTF-8"),
    ] as [([UInt8], String)])
  func namesTheLine(bytes: [UInt8], problem: String) {
    #expect(problems(bytes).map(\.description) == [problem])
  }

  @Test("takes a byte order mark and CRLF")
  func takesForeignText() throws {
    let text = Configuration.embeddedText.split(separator: "\n", omittingEmptySubsequences: false)
    let configuration = try Configuration.sample(bytes: [0xef, 0xbb, 0xbf] + text.joined(separator: "\r\n").utf8)
    #expect(configuration.services.count == 8)
    let plain = try Configuration.sample(Configuration.embeddedText)
    #expect(configuration.services.map(\.place) == plain.services.map(\.place))
  }

  enum Nesting: String, CaseIterable {
    case arrays, openArrays, inlineTables, dottedKeys, dottedHeader, mixture

    var text: String {
      switch self {
      case .arrays: "a = " + String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
      case .openArrays: "a = " + String(repeating: "[", count: 1_000_000)
      case .inlineTables: "a = " + String(repeating: "{a=", count: 300_000)
      case .dottedKeys: String(repeating: "a.", count: 500_000) + "a = 1\n="
      case .dottedHeader: "[" + String(repeating: "a.", count: 500_000) + "a]\n="
      case .mixture: "a = [" + String(repeating: "{b.b.b.b.b.b.b.b = [\n", count: 40_000)
      }
    }
  }

  @Test("refuses what is nested deeply", arguments: Nesting.allCases)
  func refusesDeepNesting(nesting: Nesting) {
    #expect(problems(Array(nesting.text.utf8)).map { $0.message.hasPrefix("nested too deeply") } == [true])
  }

  @Test("refuses a large file")
  func refusesALargeFile() throws {
    let directory = try TemporaryDirectory()
    try directory.write(String(repeating: "#", count: 2 << 20), to: "x.toml")
    #expect(
      Configuration.problems(file: directory["x.toml"], in: .sample()) == ["\(directory["x.toml"]): larger than 1 MiB"])
    try directory.write(String(repeating: "#", count: 1 << 20), to: "x.toml")
    #expect(
      Configuration.problems(file: directory["x.toml"], in: .sample()) == [
        "\(directory["x.toml"]): \(Configuration.noService)"
      ])
  }

  @Test("takes as many services as fit into a file, in time")
  func takesManyServices() throws {
    var text = "[defaults]\nserve = \"echo\"\nuser = \"nobody\"\nlisten-stream = \"127.0.0.1:0\"\n"
    for number in 0..<20_000 { text += "[service.s\(number)]\n" }
    let clock = ContinuousClock()
    var count = 0
    let duration = try clock.measure { count = try Configuration.sample(text).services.count }
    #expect(count == 20_000)
    #expect(duration < .seconds(60))
  }

  @Test(
    "takes no number that does not fit",
    arguments: ["9223372036854775808", "-9223372036854775809", "1e400", "nan", "0x7fffffffffffffff"])
  func takesNoLargeNumber(number: String) {
    #expect(problems(Array("[defaults]\nbacklog = \(number)".utf8)).first?.place?.line == 2)
  }

  @Test("suggests the key at one to three mistakes", arguments: 1...3)
  func suggests(mistakes: Int) {
    for key in ServiceSettings.keys.map(\.name) where key.count >= 10 && !key.contains(".") {
      let name = key.dropLast(mistakes)
      let found = Configuration.problems("[defaults]\n\(name) = 1")
      #expect(found == ["t.toml:2:1: defaults.\(name): unknown key; did you mean \(key)?"])
    }
  }

  @Test("survives the default cut off anywhere")
  func survivesTruncation() {
    let text = Array(Configuration.embeddedText.utf8)
    for length in text.indices {
      for problem in problems(Array(text.prefix(length))) where problem.message != Configuration.noService {
        #expect(problem.place != nil, "after \(length) bytes: \(problem)")
      }
    }
  }

  @Test("survives mutations of the default")
  func survivesMutations() {
    let original = Array(Configuration.embeddedText.utf8.filter { $0 != UInt8(ascii: "#") })
    let alphabet = Array("\"'[]{}=.,#\\\n\r\t u0aZ-_%@/:\u{0}\u{7f}".utf8) + [0x80, 0xff, 0xef]
    var random = SplitMix(state: 20_240_229)
    for round in 0..<3000 {
      var text = Array(original.shuffledLines(using: &random).prefix(400))
      for _ in 0..<(1 + round % 8) where !text.isEmpty {
        let index = Int.random(in: text.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text[index] = alphabet.randomElement(using: &random) ?? 0
        case 1: text.remove(at: index)
        default: text.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
        }
      }
      for problem in problems(text) where problem.message != Configuration.noService {
        #expect(problem.place != nil, "\(problem)")
      }
    }
  }
}

/// The same numbers in every run.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension [UInt8] {
  fileprivate func shuffledLines(using random: inout SplitMix) -> [UInt8] {
    Array(split(separator: UInt8(ascii: "\n")).shuffled(using: &random).joined(separator: [UInt8(ascii: "\n")]))
  }
}
