import ArgumentParser

/// The command that a line names, and the words after its name.
struct NamedCommand {
  /// As typed: one word, or two for a command below another one, such as `sem take`; empty if the line names none.
  private(set) var names: [String] = []
  /// The type of each name.
  private(set) var types: [any ParsableCommand.Type] = []
  private(set) var arguments: ArraySlice<String>

  /// - Parameter words: the line without the program's name.
  init(_ words: [String]) {
    arguments = words[...]
    var commands = Begat.configuration.subcommands
    while let name = arguments.first, let type = commands.first(where: { $0._commandName == name }) {
      names.append(name)
      types.append(type)
      arguments = arguments.dropFirst()
      commands = type.configuration.subcommands
    }
  }

  /// The command with its arguments, read by its own parser alone: that of the whole tree looks at each option once more.
  ///
  /// A wrong line is parsed twice, so that `validate()` of a command must have no effects.
  ///
  /// - Returns: nil for a wrong line and for a request for help, which need the tree.
  func parsed() -> (any ParsableCommand)? {
    guard let type = types.last, type.configuration.subcommands.isEmpty,
      let command = try? type.parseAsRoot(Array(arguments)), Swift.type(of: command) == type
    else { return nil }
    return command
  }
}
