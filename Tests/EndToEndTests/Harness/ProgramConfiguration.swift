import Glibc

/// Tables of services that execute programs.
extension SampleConfiguration {
  /// A service that executes a program, with further lines of its table.
  static func program(
    _ name: String, _ words: [String], _ lines: String..., listening addresses: [String] = ["127.0.0.1:0"]
  ) -> String {
    """
    [service.\(name)]
    exec = \(list(words))
    listen-stream = \(list(addresses))
    \(lines.joined(separator: "\n"))

    """
  }

  /// The same with words of a shell, which is a program as any other.
  static func script(_ name: String, _ text: String, _ lines: String...) -> String {
    program(name, ["/bin/sh", "-c", text], lines.joined(separator: "\n"))
  }

  static func python(_ name: String, _ text: String, _ lines: String...) throws -> String {
    program(name, [try Programs.tool("python3"), "-c", text], lines.joined(separator: "\n"))
  }

  /// A TOML array of strings.
  static func list(_ words: [String]) -> String { "[" + words.map(quoted).joined(separator: ", ") + "]" }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension TemporaryDirectory {
  /// Writes a program of a shell.
  func writeScript(_ text: String, to name: String) throws -> String {
    try write("#!/bin/sh\n\(text)\n", to: name, mode: 0o755)
  }

  /// Puts a whole new program in the place of an old one, which may be running.
  func replaceScript(_ text: String, at name: String) throws {
    let new = try writeScript(text, to: name + ".new")
    guard rename(new, path(name)) == 0 else { throw HarnessFailure("rename \(new): errno \(errno)") }
  }
}

/// A program of the test's own as a client: what it printed.
func python(_ script: String, _ arguments: [String], within limit: Duration = .seconds(30)) throws -> RunningProgram {
  let program = try RunningProgram.run(try Programs.tool("python3"), ["-c", script] + arguments, within: limit)
  guard program.status == .exited(code: 0) else {
    throw HarnessFailure("python3: \(program.status!); \(program.errors.text)\(program.output.text)")
  }
  return program
}

/// Whether none of these processes runs any more; orphans may wait to be fetched.
func areGone(_ processes: [pid_t]) -> Bool { processes.allSatisfy { ProcessFacts($0)?.isZombie ?? true } }

/// The process numbers in a line that a program printed.
func processNumbers(_ line: String) throws -> [pid_t] {
  let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
  guard !numbers.isEmpty else { throw HarnessFailure("no process numbers in “\(line)”") }
  return numbers
}
