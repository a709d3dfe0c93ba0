import ProbeComparison
import Testing

/// Python's parser and this one, over generated and mutated documents (compare-with-tomllib.py).
@Suite(.timeLimit(.minutes(30)))
struct TomllibTests {
  private static let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)
  private static let hasTomllib = (try? ProbeComparison.python(["-c", "import tomllib"]))?.status == 0

  @Test("agrees with tomllib about verdicts and values", .enabled(if: hasTomllib, "needs python3 of 3.11 or later"))
  func agreesWithTomllib() throws {
    var words = ["--count", "5000", "--seed", "1", "--seeds", "\(Self.folder)/../../etc/begatd.toml"]
    if TOMLSuite.isPresent { words += ["--corpus", TOMLSuite.path] }
    let (status, output) = try ProbeComparison.run(
      "\(Self.folder)/compare-with-tomllib.py", probe: "toml-probe", words)
    #expect(status == 0, "\(output)")
    #expect(output.contains("5000 documents"), "\(output)")
  }
}
