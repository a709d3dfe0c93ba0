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
    if let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), !names.contains(word) {
      let meant = nearestName(to: word, among: names).map { "; did you mean \($0)?" } ?? ": see begat --help"
      exit(withError: ValidationError("\(escaped(word.utf8)): no such command\(meant)"))
    }
    main(WatchOptions.splitting(Drain.splittingWait(CommandLine.arguments.dropFirst())))
  }

  private static var names: [String] {
    ["help"] + configuration.subcommands.compactMap { $0._commandName }
  }
}
