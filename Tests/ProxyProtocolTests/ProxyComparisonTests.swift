import ProbeComparison
import Testing

/// A reader in Python and this one, over generated and mutated headers (compare-with-python.py).
@Suite(.timeLimit(.minutes(30)))
struct ProxyComparisonTests {
  private static let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)

  @Test("agrees with a reader in Python about verdicts, addresses and variables")
  func agreesWithPython() throws {
    let (status, output) = try ProbeComparison.run(
      "\(Self.folder)/compare-with-python.py", probe: "proxy-probe", ["--count", "50000", "--seed", "1"])
    #expect(status == 0, "\(output)")
    #expect(output.contains("50000 inputs, 0 differences"), "\(output)")
  }
}
