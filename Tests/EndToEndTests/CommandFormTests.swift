import Clients
import Testing

/// The forms of command lines, against what the parser knows about each command.
@Suite(.timeLimit(.minutes(30)))
struct CommandFormTests {
  private struct Command {
    let name: [String]
    /// Its operands.
    let operands: [(isRepeated: Bool, isCommand: Bool)]
    let optionsWithValue: Set<String>
  }

  private func commands(_ dump: [String: Any], in name: [String] = []) throws -> [Command] {
    let arguments = dump["arguments"] as? [[String: Any]] ?? []
    let options = arguments.filter { $0["kind"] as? String == "option" }.flatMap { option in
      (option["names"] as? [[String: String]] ?? []).map { ($0["kind"] == "short" ? "-" : "--") + ($0["name"] ?? "") }
    }
    let operands = arguments.filter { $0["kind"] as? String == "positional" }.map {
      ($0["isRepeating"] as? Bool ?? false, $0["parsingStrategy"] as? String == "postTerminator")
    }
    return try [Command(name: name, operands: operands, optionsWithValue: Set(options))]
      + (dump["subcommands"] as? [[String: Any]] ?? []).flatMap {
        try commands($0, in: name + [#require($0["commandName"] as? String)])
      }
  }

  @Test func everyCommandWithManyWordsHasItsForm() throws {
    let dump = try json(runBegat("--experimental-dump-help"), as: [String: Any].self)
    let commands = try commands(#require(dump["command"] as? [String: Any])).filter {
      $0.operands.last?.isRepeated == true && $0.name != ["help"]
    }
    #expect(Set(commands.map(\.name)) == Set(CommandForm.all.map(\.name)))
    for command in commands {
      let form = try #require(CommandForm.all.first { $0.name == command.name })
      #expect(Set(form.optionsWithValue) == command.optionsWithValue, "\(command.name)")
      #expect(form.ownWords == command.operands.count - 1 && (form.end == .command) == command.operands.last?.isCommand)
    }
  }

  /// Parsed one by one by ArgumentParser, 10,000 operands took seconds.
  @Test(arguments: ["alive", "signal"])
  func manyOperandsAreRead(command: String) throws {
    let words = command == "signal" ? ["signal", "CONT"] : ["alive"]
    let numbers = (1...10_000).map { "\(900_000_000 + $0)" }
    let all = try RunningProgram.run(try Programs.begat(), words + numbers)
    #expect(all.status == .exited(code: 1))
    #expect((command == "signal" ? all.errors : all.output).lines.count == 10_000)
    let wrong = try RunningProgram.run(try Programs.begat(), words + numbers + ["x"])
    #expect(wrong.status == .exited(code: 64) && wrong.output.text == "")
    #expect(
      wrong.errors.text
        == "begat \(command): the value 'x' is invalid for '<pid>': a process is a number from 1 on; see begat \(command) --help\n"
    )
  }

  /// The parser does not see the last one.
  @Test(arguments: [
    ["get", "127.0.0.1:1", "/a", "lost x"], ["daytime", "127.0.0.1:1", "127.0.0.1:lost"],
    ["time", "127.0.0.1:1", "127.0.0.1:lost"], ["end", "900000001", "lost"], ["signals", "INT", "lost"],
  ])
  func theLastOperandIsRead(words: [String]) throws {
    let operands = [String](repeating: words[words.count - 2], count: 100) + words.suffix(1)
    let wrong = try RunningProgram.run(try Programs.begat(), words.dropLast(2) + operands)
    #expect(wrong.status == .exited(code: words[0] == "signals" ? 1 : 64))
    #expect(wrong.errors.text.contains("lost"), "\(wrong.errors.text)")
  }

  /// No begatd is there to tell whether it knows the last one.
  @Test(arguments: ["status", "drain", "resume"])
  func manyServicesAreAskedFor(command: String) throws {
    let services = [String](repeating: "echo", count: 101)
    let asked = try RunningProgram.run(
      try Programs.begat(), [command, "--control", "/nonexistent"] + services)
    #expect(asked.status == .exited(code: 1) && asked.errors.text.contains("no begatd answers"), "\(asked.errors.text)")
  }

  @Test func aStepMaySendTwoHyphens() throws {
    for words in [["--send", "--", "--end"], ["--send=--", "--end"], ["--send", "--", "--end", "--"]] {
      let sent = try RunningProgram.run(try Programs.begat(), ["pipe"] + words + ["cat", "-u"])
      #expect(sent.status == .exited(code: 0) && sent.output.text == "--", "\(words): \(sent.errors.text)")
    }
  }
}
