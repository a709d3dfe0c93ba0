import Foundation
import Testing

/// Python's parser and this one, over generated and mutated documents (compare-with-tomllib.py).
@Suite(.timeLimit(.minutes(30)))
struct TomllibTests {
  private static let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)
  private static let hasTomllib = (try? run(["-c", "import tomllib"]))?.status == 0

  @Test("agrees with tomllib about verdicts and values", .enabled(if: hasTomllib, "needs python3 of 3.11 or later"))
  func agreesWithTomllib() throws {
    var words = [
      "\(Self.folder)/compare-with-tomllib.py", "--probe", try Self.probe(), "--count", "5000", "--seed", "1",
      "--seeds", "\(Self.folder)/../../etc/begatd.toml",
    ]
    if TOMLSuite.isPresent { words += ["--corpus", TOMLSuite.path] }
    let (status, output) = try Self.run(words)
    #expect(status == 0, "\(output)")
    #expect(output.contains("5000 documents"), "\(output)")
  }

  private static func run(_ words: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + words
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// toml-probe, which is built into the directory of the tests.
  private static func probe() throws -> String {
    let programs = CommandLine.arguments.filter { $0.hasSuffix(".xctest") } + ["/proc/self/exe"]
    let directories = programs.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent().path
    }
    let candidates = directories.map { "\($0)/toml-probe" }
    return try #require(
      candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "toml-probe is not built")
  }
}
