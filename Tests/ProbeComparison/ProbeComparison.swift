import Foundation

/// A comparison of one of the project's parsers with a parser in Python, by a script beside the tests.
public enum ProbeComparison {
  /// Runs the script with the probe, which is built into the directory of the tests, and further words.
  ///
  /// - Returns: the script's status, and its output and errors.
  public static func run(_ script: String, probe: String, _ words: [String]) throws -> (status: Int32, output: String) {
    guard let program = path(of: probe) else { throw NotBuilt(probe: probe) }
    return try python([script, "--probe", program] + words)
  }

  /// Runs Python with these words, and returns its status and its output.
  public static func python(_ words: [String]) throws -> (status: Int32, output: String) {
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

  private static func path(of probe: String) -> String? {
    let programs = CommandLine.arguments.filter { $0.hasSuffix(".xctest") } + ["/proc/self/exe"]
    return programs.lazy
      .map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent().path + "/" + probe }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private struct NotBuilt: Error, CustomStringConvertible {
    let probe: String
    var description: String { "\(probe) is not built beside the tests" }
  }
}
