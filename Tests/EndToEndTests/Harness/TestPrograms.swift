import Foundation

/// Programs that are made for the tests, and are built into their directory.
enum TestPrograms {
  /// A command that executes its arguments under a kernel in which calls fail.
  ///
  /// - Parameter error: the number of the error; 0 lets the calls succeed and do nothing.
  /// - Parameter calls: names, or `NAME:INDEX=VALUE` for those with this value of an argument, `NAME:INDEX!VALUE` for others.
  static func kernel(without calls: [String], error: CInt) throws -> [String] {
    [try find("without-calls"), "\(error)"] + calls + ["--"]
  }

  /// A kernel without Landlock.
  static func kernelWithoutLandlock() throws -> [String] {
    try kernel(
      without: ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"], error: ENOSYS)
  }

  /// Makes system calls in a live process that waits in one.
  ///
  /// - Parameter calls: each a name and its arguments: numbers, `@TEXT` or `%` for zeroed memory.  The name `fill` writes to
  ///   memory: its start, its size, and the byte, or a larger number for random ones.
  /// - Returns: their results, or the errors' negative numbers.
  static func call(in process: pid_t, _ calls: [[String]]) throws -> [Int] {
    let words = ["\(process)"] + calls.joined(separator: ["--"])
    let probe = try RunningProgram.run(try find("call-probe"), words)
    guard probe.status == .exited(code: 0) else { throw HarnessFailure("call-probe: \(probe.errors.text)") }
    return probe.output.lines.compactMap { Int($0) }
  }

  /// A program that begatd takes for a listener of another version.
  static func otherListener() throws -> String { try find("other-listener") }

  private static func find(_ name: String) throws -> String {
    let programs = CommandLine.arguments.filter { $0.hasSuffix(".xctest") } + ["/proc/self/exe"]
    let candidates = programs.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(name).path
    }
    guard let found = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      throw HarnessFailure("\(name) is not built")
    }
    return found
  }
}
