/// A command that an administrator added to the command server.
public struct AddedCommand: Hashable, Sendable {
  /// Lower case; what clients type.
  public var name: String
  /// The absolute path of a program and its arguments.
  public var words: [String]

  public init(name: String, words: [String]) {
    self.name = name
    self.words = words
  }

  /// The words that the command server knows by itself.
  public static let builtIn: Set = ["quit", "exit", "date", "time", "who", "cookie", "motd", "help"]

  /// 1 to 32 lower-case letters, digits, `-` and `_`, none of the built-in ones.
  public static func isName(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
      && text.utf8.allSatisfy { isServiceNameByte($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
      && !builtIn.contains(text)
  }
}

extension Syntax where Value == [AddedCommand] {
  static let commands = members(
    "PATH", "a table of commands such as { disk = [\"/bin/df\", \"-h\"] }",
    example: .table([RawValue.Member("disk", .list([.string("/bin/df"), .string("-h")]))]),
    read: { name, raw throws(ValueProblems) in
      if !AddedCommand.isName(name) { throw ValueProblems(nameProblem(name)) }
      return AddedCommand(name: name, words: try programWords(raw))
    },
    render: { RawValue.Member($0.name, .list($0.words.map { .string($0) })) })
}

private func nameProblem(_ name: String) -> String {
  if AddedCommand.builtIn.contains(name.lowercased()) {
    return "the command server has a command of this name itself; choose another"
  }
  let lowered = name.lowercased()
  let advice = AddedCommand.isName(lowered) ? "; use \(lowered): clients may type it in any case" : ""
  return "expected a command's name of 1 to 32 lower-case letters, digits, - and _" + advice
}
