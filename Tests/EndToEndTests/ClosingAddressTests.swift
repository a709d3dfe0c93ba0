import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Addresses that a listener has still, although begatd has given them up: the kernel gives the name of an abstract Unix
/// socket, and a datagram address, to one socket at a time.
@Suite(.timeLimit(.minutes(30)))
struct ClosingAddressTests {
  enum Kind: CaseIterable, Sendable {
    case abstract
    case datagram
    case tcp

    func service(_ directory: TemporaryDirectory, _ address: String) -> String {
      let key =
        switch self {
        case .abstract: "listen-stream = [\"@\(directory.path)\"]"
        case .datagram: "listen-datagram = [\"\(address)\"]"
        case .tcp: "listen-stream = [\"\(address)\"]"
        }
      return "[service.moved]\nserve = \"time\"\nrate-per-source = \"1000/s\"\n\(key)\n"
    }
  }

  private func withMoved(_ kind: Kind, _ body: (Daemon, _ address: String) throws -> Void) throws {
    let other = SampleConfiguration.service("echo")
    let address = try FreePorts.addresses(1)[0]
    try withDaemon({ kind.service($0, address) + other }) { daemon in
      try body(daemon, kind == .abstract ? "@\(daemon.directory.path)" : address)
    }
  }

  private func isServed(_ kind: Kind, _ address: String) throws -> Bool {
    Expected.isTime(try kind == .datagram ? DatagramClient.ask(address) : ask(address))
  }

  /// Lets a stopped listener go on, which has kept its sockets meanwhile, after a command has waited for it.
  private func letGoOn(_ listener: pid_t, _ command: RunningProgram) throws {
    #expect(
      !eventually(within: .milliseconds(300)) { command.hasEnded }, "\(command.output.text)\(command.errors.text)")
    try Signal(rawValue: SIGCONT).send(to: listener)
    try command.awaitEnd()
  }

  @Test(arguments: [Kind.abstract, .datagram]) func resumeWaitsForTheListener(kind: Kind) throws {
    try withMoved(kind) { daemon, address in
      #expect(try isServed(kind, address))
      let listener = try daemon.listener("moved")
      try Signal(rawValue: SIGSTOP).send(to: listener)
      #expect(try daemon.begat("drain", "moved").status == .exited(code: 0))
      let resume = try daemon.start("resume", "moved")
      try letGoOn(listener, resume)
      #expect(resume.status == .exited(code: 0), "\(resume.errors.text)")
      #expect(resume.output.text == "moved: serving again\n")
      #expect(try isServed(kind, address))
    }
  }

  @Test(arguments: Kind.allCases) func resumeAfterADrainNeverFails(kind: Kind) throws {
    try withMoved(kind) { daemon, address in
      for _ in 0..<20 {
        #expect(try daemon.begat("drain", "moved").status == .exited(code: 0))
        let resume = try daemon.begat("resume", "moved")
        #expect(resume.status == .exited(code: 0), "\(resume.errors.text)")
        #expect(try isServed(kind, address))
      }
    }
  }

  @Test(arguments: [Kind.abstract, .datagram]) func aReloadWaitsForTheListener(kind: Kind) throws {
    try withMoved(kind) { daemon, address in
      let before = try String(contentsOfFile: daemon.directory.path("begatd.toml"), encoding: .utf8)
      let listener = try daemon.listener("moved")
      try Signal(rawValue: SIGSTOP).send(to: listener)
      #expect(try daemon.reload(SampleConfiguration.service("echo")).contains("removed moved"))
      try daemon.rewrite(before)
      let reload = try daemon.start("reload")
      try letGoOn(listener, reload)
      #expect(reload.status == .exited(code: 0), "\(reload.errors.text)")
      #expect(try isServed(kind, address))
    }
  }

  /// It is refused as ever, and soon enough.
  @Test func anotherProgramIsNotWaitedFor() throws {
    try withMoved(.datagram) { daemon, _ in
      let holder = try DatagramSocket(.ipv4(.loopback, port: 0))
      let address = try #require(try holder.descriptor.localAddress().address).description
      let watch = Stopwatch()
      try daemon.rewrite(
        "[service.moved]\nserve = \"time\"\nrate-per-source = \"1000/s\"\nlisten-datagram = [\"\(address)\"]\n")
      let reload = try daemon.begat("reload")
      #expect(reload.status == .exited(code: 78) && reload.errors.text.contains("Address already in use"))
      #expect(watch.elapsed < .seconds(2), "\(watch.elapsed)")
    }
  }
}
