import Foundation
import Testing
@_spi(Begat) import UnixCore

/// README.md's examples, one after the other, on a machine where nothing of begat was configured.
@Suite(.timeLimit(.minutes(30)))
struct ReadmeTests {
  /// Runs the examples in one shell, and writes each command's output and status to files named by its number.
  private static let prelude = """
    # Starts a server and waits until it says that it is ready.
    start() {
      exec {output}< <(exec "$@" 2>&1)
      while IFS= read -r line <&$output; do
        echo "$line"
        case $line in *" is ready"*|*": ready"*) return 0 ;; esac
      done
      return 1
    }
    # The table is for a terminal.
    exec {first}< <(exec script -qefc "begatd 2> begatd.log" /dev/null)
    while IFS= read -r line <&$first; do
      line=${line%$'\r'}
      echo "$line"
      case $line in Ctrl-C*) break ;; esac
    done > table

    """

  @Test(.enabled(if: Machine.isRoot, "needs root: mounts and a network of its own"))
  func examplesWorkOneAfterTheOther() throws {
    let text = try String(contentsOfFile: "\(Programs.package)/README.md", encoding: .utf8)
    let examples = try ReadmeExamples(text).all
    let commands = examples.flatMap(\.commands)
    #expect(commands.count > 10)

    let directory = try TemporaryDirectory()
    var script = Self.prelude
    var number = 0
    for example in examples {
      if case .file(let name) = example.kind {
        script += "cat > \(name) <<'END'\n" + example.lines.joined(separator: "\n") + "\nEND\n"
      }
      for command in example.commands {
        let isServer = command.text.hasSuffix(" &")
        let line = isServer ? "start " + command.text.dropLast(2) : command.text
        script += "{ \(line)\n} > \(number).output 2>&1 < /dev/null; echo $? > \(number).status\n"
        number += 1
      }
    }
    script = script.replacing("/usr/bin/stunnel4", with: try Programs.tool("stunnel4"))
    try runApart(script, in: directory)

    func read(_ name: String) throws -> String { try String(contentsOfFile: directory.path(name), encoding: .utf8) }
    for (number, command) in commands.enumerated() {
      let output = try read("\(number).output")
      #expect(try read("\(number).status").trimmed == "\(command.status)", "\(command.text)\n\(output)")
      // What a server says when it starts is in the table.
      let isServer = command.text.hasSuffix(" &")
      #expect(isServer || ReadmeExamples.matches(command.output, output), "\(command.text)\n\(output)")
    }
    let table = try read("table").components(separatedBy: "\n")
    let shown = examples.first { if case .table = $0.kind { true } else { false } }
    #expect(try #require(shown).lines == Array(table.drop { !$0.contains(" is ready") }.dropLast()), "\(table)")
  }

  @Test(
    arguments: [
      (["a"], "a\n", true), (["a"], "a", true), (["a"], "ab\n", false), (["a"], "", false), ([], "", true),
      ([], "a\n", false), (["a", "…"], "a\n", true), (["a", "…"], "a\nb\nc\n", true), (["…", "c"], "a\nb\nc\n", true),
      (["…", "c"], "a\nb\n", false), (["a … c."], "a b c.\n", true), (["a … c."], "a b c!\n", false),
      (["at Sun Nov 22 18:04:58 2026"], "at Mon Jan  1 00:00:00 2024\r\n", true),
      (["at Sun Nov 22 18:04:58 2026"], "at noon\n", false),
    ] as [([String], String, Bool)])
  func outputIsCompared(expected: [String], actual: String, matches: Bool) {
    #expect(ReadmeExamples.matches(expected, actual) == matches)
  }
}
