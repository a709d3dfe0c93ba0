import TOML
import TestSupport
import Testing

/// Whatever the bytes are: they are a table or have a fault, soon.
@Suite(.timeLimit(.minutes(30))) struct HostileTextTests {
  @Test(
    "refuses deep nesting",
    arguments: [
      "a = " + String(repeating: "[", count: 500_000), "a = " + String(repeating: "{a=", count: 300_000),
      String(repeating: "a.", count: 500_000) + "a = 1", "[" + String(repeating: "a.", count: 500_000) + "a]",
      "[[" + String(repeating: "a.", count: 64) + "a]]", "a = {" + String(repeating: "a.", count: 64) + "a = 1}",
      "[a.a.a]\n" + String(repeating: "a.", count: 60) + "a = [[1]]",
      "a = [" + String(repeating: "{b.b.b.b.b.b.b.b = [\n", count: 40_000),
    ])
  func refusesDeepNesting(text: String) { #expect(fault(text).hasSuffix("nested too deeply (64 levels at most)")) }

  @Test("takes nesting up to the limit, as often as it comes")
  func takesNesting() {
    let arrays = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
    let headers = (0..<100).map { "[" + String(repeating: "a.", count: 60) + "k\($0)]\nb.b = [[1]]\n" }.joined()
    #expect(fault("x = [\(arrays), \(arrays)]\ny = [\(arrays), {a = {}}, {a.b.c.d = 1}]\n\(headers)") == "")
  }

  @Test("takes any bytes", arguments: 0..<8)
  func takesAnyBytes(seed: Int) {
    var random = SeededRandom(state: UInt64(seed))
    let pieces = [
      "a", "=", "[", "]", "{", "}", "\"", "'", "\\", ".", ",", "\n", "\r", " ", "#", "1", "-", ":", "é", "\0",
    ]
    for _ in 0..<3000 {
      var bytes = (0..<Int.random(in: 0..<40, using: &random)).flatMap { _ in
        Array(pieces.randomElement(using: &random)!.utf8)
      }
      if Bool.random(using: &random) { bytes.append(UInt8.random(in: 0...255, using: &random)) }
      expectPositionInside(bytes)
    }
  }

  @Test("reads every beginning of a file", arguments: ["\n", "\r\n"])
  func readsEveryBeginning(lineEnd: String) {
    let text = [
      "\u{feff}[a.\"é\"]", "b = [1, 'x', {c = \"\\u00e9\"}] # x", "d = \"\"\"\\", " e\"\"\"", "[[f]]",
      "g = 1979-05-27 07:32:00Z",
    ]
    let bytes = Array(text.joined(separator: lineEnd).utf8)
    for length in 0...bytes.count { expectPositionInside(Array(bytes[..<length])) }
  }

  /// Expects a table, or a fault with a message at a place that the text has: at one of its bytes or at its end.
  private func expectPositionInside(_ bytes: [UInt8], at location: SourceLocation = #_sourceLocation) {
    do throws(TOMLError) { _ = try TOMLParser.parse(bytes) } catch {
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let (line, column) = (error.position.line, error.position.column)
      guard lines.indices.contains(line - 1) else {
        Issue.record("\(error) in \(bytes)", sourceLocation: location)
        return
      }
      // No character is shorter than a byte.
      #expect((1...lines[line - 1].count + 1).contains(column), "\(error) in \(bytes)", sourceLocation: location)
      #expect(!error.message.isEmpty, sourceLocation: location)
    }
  }

  @Test("needs time in proportion to the length")
  func needsProportionalTime() throws {
    let count = 20_000
    let texts = [
      (0..<count).map { "k\($0) = \($0)\n" }.joined(), (0..<count).map { "[a.k\($0)]\n" }.joined(),
      String(repeating: "[[a.b]]\nc = 1\n", count: count),
      "a = [" + String(repeating: "{b.c = 1}, ", count: count) + "]",
      "a = \"" + String(repeating: "\\u00e9", count: count) + "\"",
      "a = [" + String(repeating: "\"x\" # y\n,", count: count),
      "a = 0." + String(repeating: "1", count: 10 * count), "a = " + String(repeating: "9", count: 10 * count),
      "a = " + String(repeating: "1_", count: 10 * count), "a = \"\"\"" + String(repeating: "\\\n  ", count: count),
    ]
    // Without a bound of its own: what is not proportional exceeds the suite's time limit by far.
    for text in texts { _ = fault(text) }
    #expect(try parse(texts[0])["k\(count - 1)"]?.integer == Int64(count - 1))
  }
}
