import ArgumentParser
import Clients
import Settings
@_spi(Begat) import UnixCore

@main
struct Begat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "begat",
    abstract: "Clients and tools of the forking network daemon begatd.",
    version: "begat \(BegatVersion.text)",
    groupedSubcommands: [
      CommandGroup(
        name: "Network clients", subcommands: [Connect.self, Get.self, Daytime.self, Time.self, Load.self]),
      CommandGroup(
        name: "Programs and pipes",
        subcommands: [Cat.self, Run.self, Pipe.self, Interact.self, Signature.self]),
      CommandGroup(name: "Signals and processes", subcommands: [Signals.self, SendSignal.self, Alive.self]),
      CommandGroup(name: "System V IPC", subcommands: [SharedMemory.self, Semaphores.self]),
      CommandGroup(
        name: "The daemon",
        subcommands: [
          Check.self, Export.self, Status.self, Ps.self, Top.self, Reload.self, Drain.self, Resume.self, End.self,
          Deny.self,
          Allow.self, Upgrade.self, Stop.self,
        ]),
    ])

  /// The command line without this program's name.
  static let typed = WatchOptions.splitting(Drain.splittingWait(CommandLine.arguments.dropFirst()))
  static let words = CommandLineWords(typed)

  static func main() {
    do {
      let named = NamedCommand(words.parsed)
      if named.names.isEmpty { try checkName(of: typed) }
      try refuseUnreadableWords()
      var command = try named.parsed() ?? parseAsRoot(words.parsed)
      if !words.operands.isEmpty, var taker = command as? any OperandTaker {
        try taker.add(words.operands)
        try taker.validate()
        command = taker
      }
      try command.run()
    } catch { CommandEnd.end(with: error, of: typed) }
  }

  private static func checkName(of words: [String]) throws {
    guard let word = words.first(where: { $0 != "help" }), !word.hasPrefix("-"), !names.contains(word) else { return }
    let meant = nearestName(to: word, among: names).map { "; did you mean \($0)?" } ?? ""
    throw ValidationError("\(escaped(word.utf8)): no such command\(meant)")
  }

  /// A word that is not UTF-8 has become another one for the parser, and would name another file.
  private static func refuseUnreadableWords() throws {
    // These two take the bytes as they are.
    guard let name = typed.first, !["cat", "get"].contains(name) else { return }
    for bytes in TypedWords.all.dropFirst().dropLast(words.commandLength)
    where String(validating: bytes, as: UTF8.self) == nil {
      throw ValidationError("\(escaped(bytes)): is not UTF-8, as \(escaped(name.utf8)) needs it; a link may lead there")
    }
  }

  /// The error of a command that has commands of its own, without one.
  static func missingCommand(of type: any ParsableCommand.Type) -> ValidationError {
    let names = type.configuration.subcommands.map { $0._commandName }
    return ValidationError("a command is missing: \(names.joined(separator: ", "))")
  }

  static var names: [String] {
    ["help"] + configuration.subcommands.compactMap { $0._commandName }
  }
}
