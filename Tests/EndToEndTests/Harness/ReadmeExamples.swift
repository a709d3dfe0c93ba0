import Foundation

/// The examples of README.md that are marked for the tests, in their order.
///
/// A comment before a fenced block says what it is: `<!-- test: table -->`, what begatd prints when it is ready;
/// `<!-- test: file NAME -->`, a file; `<!-- test: run -->`, commands behind `$ ` or `# ` with their output, and
/// `<!-- test: run 78 -->` if the last one ends with that status.
struct ReadmeExamples {
  enum Kind {
    case table
    case file(String)
    case run(status: Int)
  }

  struct Command {
    let text: String
    let status: Int
    /// The lines of its output; `…` stands for any text in a line, and alone for any lines.
    var output: [String] = []
  }

  struct Example {
    let kind: Kind
    let lines: [String]
    /// Where the block begins in README.md.
    let line: Int

    /// The commands of a `run` block.
    var commands: [Command] {
      guard case .run(let status) = kind else { return [] }
      var commands: [Command] = []
      for line in lines {
        if line.hasPrefix("$ ") || line.hasPrefix("# ") {
          commands.append(Command(text: String(line.dropFirst(2)), status: 0))
        } else if !commands.isEmpty {
          commands[commands.count - 1].output.append(line)
        }
      }
      if let last = commands.popLast() {
        commands.append(Command(text: last.text, status: status, output: last.output))
      }
      return commands
    }
  }

  let all: [Example]

  init(_ text: String) throws {
    var examples: [Example] = []
    var kind: Kind?
    var block: (line: Int, lines: [String])?
    for (number, line) in text.components(separatedBy: "\n").enumerated() {
      if line.hasPrefix("<!-- test: ") {
        kind = try Self.kind(line)
      } else if line.hasPrefix("```") {
        if let (line, lines) = block, let marked = kind {
          examples.append(Example(kind: marked, lines: lines, line: line))
          kind = nil
        }
        block = block == nil ? (number + 1, []) : nil
      } else {
        block?.lines.append(line)
      }
    }
    all = examples
  }

  private static func kind(_ line: String) throws -> Kind {
    let words = line.split(separator: " ").map(String.init)
    switch (words.dropFirst(2).first, words.count) {
    case ("table", 4): return .table
    case ("file", 5): return .file(words[3])
    case ("run", 4): return .run(status: 0)
    case ("run", 5): if let status = Int(words[3]) { return .run(status: status) }
    default: break
    }
    throw HarnessFailure("README.md: what is \(line)?")
  }

  /// Whether a command printed what the README shows, but for the time.
  static func matches(_ expected: [String], _ actual: String) -> Bool {
    let pattern = expected.map { line in
      line == "…"
        ? "(?:.*\n)*?"
        : NSRegularExpression.escapedPattern(for: withoutTime(line)).replacing("…", with: ".*") + "\n"
    }
    // A carriage return with its newline is one character.
    let plain = String(String.UnicodeScalarView(actual.unicodeScalars.filter { $0 != "\r" }))
    let text = plain.components(separatedBy: "\n").map { line in
      String(withoutTime(line).reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
    let lines = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
    return lines.range(of: "^(?:" + pattern.joined() + ")$", options: .regularExpression) == lines
      .startIndex..<lines.endIndex
  }

  private static func withoutTime(_ line: String) -> String {
    line.replacing(#/[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/#, with: "(time)")
  }
}
