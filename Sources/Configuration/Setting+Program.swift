import ControlProtocol
import Glibc
import UnixIPC

/// Values that only services with programs have.
extension Setting {
  /// A program's absolute path and its arguments.
  func programWords() throws(ConfigurationProblem) -> [String] {
    let wanted = "a list of an absolute path and arguments such as [\"/usr/bin/program\", \"-x\"]"
    guard case .array(let elements) = value else { throw unexpected(wanted) }
    guard !elements.isEmpty else { throw unexpected(wanted, found: "an empty list") }
    let words = try strings("an absolute path and arguments").map(\.text)
    guard words[0].hasPrefix("/") else { throw unexpected(wanted, found: "\(quoted(words[0])) as its path") }
    return words
  }

  /// The table `commands`: those that are right.
  func commands(problems: inout ProblemCollector) -> [Placed<AddedCommand>]? {
    guard let members = problems.collect(try members()) else { return nil }
    var commands: [Placed<AddedCommand>] = []
    for command in members {
      let isName: Void? = problems.collect(try command.requireCommandName())
      if let words = problems.collect(try command.programWords()), isName != nil {
        commands.append(Placed(value: AddedCommand(name: command.name, words: words), setting: command))
      }
    }
    return commands
  }

  private func requireCommandName() throws(ConfigurationProblem) {
    guard !AddedCommand.isName(name) else { return }
    if AddedCommand.builtIn.contains(name.lowercased()) {
      throw problem("the command server has a command of this name itself; choose another")
    }
    let lowered = name.lowercased()
    let advice = AddedCommand.isName(lowered) ? "; use \(lowered): clients may type it in any case" : ""
    throw problem("expected a command's name of 1 to 32 lower-case letters, digits, - and _" + advice)
  }

  /// The table `environment` as `NAME=value`: the variables that are right, by line.
  func environment(problems: inout ProblemCollector) -> [String]? {
    guard let members = problems.collect(try members()) else { return nil }
    var variables: [String] = []
    for member in members {
      if let variable = problems.collect(try member.variable()) { variables.append(variable) }
    }
    return variables
  }

  private func variable() throws(ConfigurationProblem) -> String {
    guard EnvironmentVariable.isName(name) else {
      throw problem("expected a variable's name of letters, digits and _, no digit first")
    }
    guard !EnvironmentVariable.isReserved(name) else {
      throw problem("begat sets variables of this name itself: they tell programs who the client is")
    }
    let text = try string("the variable's value in quotes")
    guard !text.utf8.contains(0), !text.utf8.contains(UInt8(ascii: "\n")) else {
      throw problem("expected a value of one line, found a line feed in it")
    }
    return "\(name)=\(text)"
  }

  func directory() throws(ConfigurationProblem) -> Placed<String> {
    let wanted = "the absolute path of a directory"
    let path = try string(wanted)
    guard path.hasPrefix("/") else { throw unexpected(wanted) }
    let facts: stat
    do throws(CallFailure) { facts = try FileSystem.facts(of: path) } catch {
      throw problem("\(printable(path)): \(error.errno)")
    }
    guard facts.st_mode & S_IFMT == S_IFDIR else { throw problem("\(printable(path)): not a directory") }
    return Placed(value: path, setting: self)
  }

  func nice() throws(ConfigurationProblem) -> Placed<CInt> {
    Placed(value: CInt(try integer(in: -20...19)), setting: self)
  }

  /// Bytes: a number, or text with a unit.
  func size() throws(ConfigurationProblem) -> UInt64 {
    let wanted = "a size above 0 such as \"64M\", or a number of bytes"
    switch value {
    case .integer(let bytes) where bytes > 0: return UInt64(bytes)
    case .string(let text):
      guard let bytes = SizeText.parse(text), bytes > 0 else { throw unexpected(wanted) }
      return bytes
    default: throw unexpected(wanted)
    }
  }

  /// A duration of whole seconds.
  func seconds() throws(ConfigurationProblem) -> UInt64 {
    let wanted = "a duration of whole seconds such as \"10s\" or \"5m\""
    guard let duration = DurationText.parse(try string(wanted)), duration >= .seconds(1),
      duration.components.attoseconds == 0
    else { throw unexpected(wanted) }
    return UInt64(duration.components.seconds)
  }
}
