import ArgumentParser
import Clients
import Glibc
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
    let message = Begat.message(for: error)
    if !message.isEmpty {
      CommandText.complain(line(message, of: name(of: words), isUsage: code == .validationFailure))
    }
    exit(code.rawValue)
  }

  /// One line that names the command, as its other errors do.
  private static func line(_ message: String, of name: String, isUsage: Bool) -> String {
    let lines = message.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }
    var text = lines.joined(separator: " ")
    // The parser's sentences begin with a capital letter.
    if let first = text.first, first.isUppercase, text.dropFirst().first?.isLowercase == true {
      text = first.lowercased() + text.dropFirst()
    }
    return "\(name): \(escaped(text.utf8, doublingBackslashes: false))\(isUsage ? "; see \(name) --help" : "")"
  }

  /// As it was typed: "begat", "begat run", "begat sem take".
  private static func name(of words: [String]) -> String {
    guard let command = words.first, let type = type(of: command, among: Begat.configuration.subcommands) else {
      return "begat"
    }
    guard words.count > 1, self.type(of: words[1], among: type.configuration.subcommands) != nil else {
      return "begat \(command)"
    }
    return "begat \(command) \(words[1])"
  }

  private static func type(
    of name: String, among commands: [any ParsableCommand.Type]
  ) -> (any ParsableCommand.Type)? { commands.first { $0._commandName == name } }
}
