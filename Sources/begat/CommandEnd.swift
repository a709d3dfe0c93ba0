import ArgumentParser
import Clients
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// How the program ends when a command has not just returned: with help, a wrong command line or an exit status.
enum CommandEnd {
  static func end(with error: any Error, of words: [String]) -> Never {
    let code = Begat.exitCode(for: error)
    if code == .success {
      let text = Begat.fullMessage(for: error)
      exit(text.isEmpty || CommandText.print(text) ? 0 : 1)
    }
    // None where the command has said itself what is wrong.
    let isUsage = code == .validationFailure
    let message = isUsage ? unknownOption() ?? Begat.message(for: error) : Begat.message(for: error)
    if !message.isEmpty { CommandText.complain(line(message, of: name(of: words), isUsage: isUsage)) }
    exit(code.rawValue)
  }

  /// One line that names the command, as its other errors do.
  private static func line(_ message: String, of name: String, isUsage: Bool) -> String {
    let lines = message.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }
    // The parser shows the values that it would take below each other.
    let values = lines.filter { $0.hasPrefix("- ") }.map { String($0.dropFirst(2)) }
    var text = (lines.filter { !$0.hasPrefix("- ") }.map(String.init) + [values.joined(separator: ", ")]).filter {
      !$0.isEmpty
    }
    .joined(separator: " ")
    // The parser's sentences begin with a capital letter.
    if let first = text.first, first.isUppercase, text.dropFirst().first?.isLowercase == true {
      text = first.lowercased() + text.dropFirst()
    }
    return "\(name): \(escaped(text.utf8, doublingBackslashes: false))\(isUsage ? "; see \(name) --help" : "")"
  }

  /// Finds an unknown option before the parser reports a missing operand, which would name the wrong mistake.
  private static func unknownOption() -> String? {
    let command = NamedCommand(Begat.words.parsed)
    guard let type = command.types.last else { return nil }
    var rest = command.arguments
    let help = Begat.helpMessage(for: type, includeHidden: true)
    let known = Set(help.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init))
    while let word = rest.popFirst(), word != "--" {
      let name = String(word.prefix { $0 != "=" })
      if Begat.words.form?.optionsWithValue.contains(word) == true {
        rest = rest.dropFirst()
      } else if name.hasPrefix("--") || name.hasPrefix("-") && name.count == 2 && name.last?.isLetter == true,
        !known.contains(name)
      {
        let near = nearestName(to: name, among: known.filter { $0.hasPrefix("--") }.sorted())
        return "unknown option '\(name)'" + (near.map { "; did you mean \($0)?" } ?? "")
      }
    }
    return nil
  }

  /// As it was typed: "begat", "begat run", "begat sem take".
  private static func name(of words: [String]) -> String {
    (["begat"] + NamedCommand(words).names).joined(separator: " ")
  }
}
