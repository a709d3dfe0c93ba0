/// The form of a command line that ends in another command, or in any number of operands.
public struct CommandForm: Sendable {
  public enum End: Sendable {
    /// A command with its own options, which are not begat's.
    case command
    case operands
    /// Operands that are read from what was typed, byte for byte.
    case sources
  }

  /// The command's name, as typed after `begat`.
  public let name: [String]
  /// How many words of its own come before the end.
  public var ownWords = 0
  public let end: End
  /// Its options that have a value; all others are flags.
  public var optionsWithValue: [String] = []

  private static let conversationOptions = [
    "--expect", "--expect-regex", "--send", "--send-file", "--send-environment", "--timeout",
  ]

  public static let all: [CommandForm] = [
    CommandForm(
      name: ["run"], end: .command,
      optionsWithValue: [
        "--user", "--group", "--directory", "--timeout", "--max-output", "--separator", "--signal", "-s",
        "--kill-after", "-k",
      ]),
    CommandForm(name: ["pipe"], end: .command, optionsWithValue: conversationOptions + ["--errors"]),
    CommandForm(
      name: ["interact"], end: .command,
      optionsWithValue: conversationOptions + ["--escape", "--log", "--log-sent", "--size"]),
    CommandForm(
      name: ["signature"], end: .command, optionsWithValue: ["--fifo", "--name", "--fortunes", "--timeout"]),
    CommandForm(
      name: ["sem", "take"], ownWords: 1, end: .command,
      optionsWithValue: ["--index", "--timeout", "--holders", "--mode"]),
    CommandForm(name: ["cat"], end: .sources, optionsWithValue: ["--file"]),
    CommandForm(
      name: ["get"], ownWords: 1, end: .operands,
      optionsWithValue: ["--output", "-o", "--header", "--timeout", "--max-size", "--ca-file"]),
    CommandForm(name: ["daytime"], end: .operands, optionsWithValue: ["--timeout", "--port"]),
    CommandForm(name: ["time"], end: .operands, optionsWithValue: ["--timeout", "--port"]),
    CommandForm(name: ["signals"], end: .operands),
    CommandForm(name: ["signal"], ownWords: 1, end: .operands),
    CommandForm(name: ["alive"], end: .operands, optionsWithValue: ["--timeout"]),
    CommandForm(
      name: ["status"], end: .operands, optionsWithValue: ["--watch-interval", "--output", "-o", "--control"]),
    CommandForm(name: ["drain"], end: .operands, optionsWithValue: ["--wait-limit", "--control"]),
    CommandForm(name: ["resume"], end: .operands, optionsWithValue: ["--control"]),
    CommandForm(name: ["end"], end: .operands, optionsWithValue: ["--source", "--service", "--control"]),
  ]
}
