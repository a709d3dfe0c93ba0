import ArgumentParser
import ControlProtocol

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
      CommandGroup(name: "The daemon", subcommands: [Check.self]),
    ])
}
