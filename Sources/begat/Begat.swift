import ArgumentParser
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

  static func main() {
    let typed = Array(CommandLine.arguments.dropFirst())
    let words = CommandBoundary.marked(WatchOptions.splitting(Drain.splittingWait(typed)))
    do {
      try checkName(of: words)
      try refuseUnreadableWords(words)
      var command = try parseAsRoot(CommandBoundary.shortened(words))
      try command.run()
    } catch { CommandEnd.end(with: error, of: words) }
  }

  private static func checkName(of words: [String]) throws {
    guard let word = words.first, !word.hasPrefix("-"), !names.contains(word) else { return }
    let meant = nearestName(to: word, among: names).map { "; did you mean \($0)?" } ?? ""
    throw ValidationError("\(escaped(word.utf8)): no such command\(meant)")
  }

  /// A word that is not UTF-8 has become another one for the parser, and would name another file.
  private static func refuseUnreadableWords(_ words: [String]) throws {
    // These two take the bytes as they are.
    if let name = words.first, ["cat", "get"].contains(name) { return }
    for (_, bytes) in zip(words.prefix { $0 != "--" }, TypedWords.all.dropFirst())
    where String(validating: bytes, as: UTF8.self) == nil {
      throw ValidationError(
        "\(escaped(bytes)): is not UTF-8, as \(escaped(words[0].utf8)) needs it; a link may lead there")
    }
  }

  static var names: [String] {
    ["help"] + configuration.subcommands.compactMap { $0._commandName }
  }
}
