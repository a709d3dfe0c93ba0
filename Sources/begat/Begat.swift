import ArgumentParser
import ControlProtocol

@main
struct Begat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "begat",
    abstract: "Clients and tools of the forking network daemon begatd.",
    version: "begat \(BegatVersion.text)",
    subcommands: [
      Connect.self, Daytime.self, Time.self, Cat.self, Signals.self, SendSignal.self, Alive.self, SharedMemory.self,
      Semaphores.self, Run.self, Signature.self,
      Load.self, Check.self,
    ])
}
