import Glibc
import Testing
@_spi(Begat) import UnixCore

/// A begatd that a test started with a configuration of its own, and all of its processes.
final class Daemon {
  /// A line of what --ready-fd tells.
  struct Served {
    let service: String
    let address: String
    let isDatagram: Bool
  }

  let directory: TemporaryDirectory
  let program: RunningProgram
  private(set) var served: [Served] = []
  /// Every process that was seen to belong to it.
  private var seen: [pid_t: ProcessFacts] = [:]
  private var isStopped = false

  /// - Parameter wrapper: a command that executes the command line given to it as further arguments.
  /// - Parameter passing: descriptors that the wrapper gets as 4 and so on.
  /// - Parameter begatd: the program, where it is not the one under test but a copy.
  /// - Parameter options: further ones of begatd.
  init(
    _ configuration: String, in directory: TemporaryDirectory, environment: [String] = [], wrapper: [String] = [],
    passing: [CInt] = [], begatd: String? = nil, options: [String] = []
  ) throws {
    self.directory = directory
    let file = try directory.write(configuration, to: "begatd.toml")
    let ready = try PipeEnds()
    let command = wrapper + [try begatd ?? Programs.begatd(), "--config", file, "--ready-fd", "3"] + options
    program = try RunningProgram(
      command[0], Array(command.dropFirst()),
      environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"] + environment,
      passing: [ready.writeEnd.number] + passing)
    let reading = ready.readEnd
    // begatd's copy is the only one left: its end is the end of the lines.
    _ = consume ready.writeEnd
    try awaitReadiness(CollectedOutput(reading: reading))
    noteProcesses()
  }

  private func awaitReadiness(_ lines: CollectedOutput) throws {
    guard lines.awaitEnd(within: .seconds(15)), !lines.text.isEmpty else {
      throw HarnessFailure("begatd did not become ready; standard error:\n\(program.errors.text)")
    }
    served = try lines.lines.map { line in
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 2 || words.count == 3 && words[2] == "datagram" else {
        throw HarnessFailure("unexpected line from --ready-fd: \(line)")
      }
      return Served(service: words[0], address: words[1], isDatagram: words.count == 3)
    }
  }

  var process: pid_t { program.process }
  var log: CollectedOutput { program.errors }
  /// What it has said besides what it says when it starts: the limits of each service, and that it is ready.
  var linesAfterStart: [String] { log.lines.filter { !Daemon.isAboutStart($0) } }
  static func isAboutStart(_ line: String) -> Bool { isAboutLimits(line) || line.contains(" is ready: ") }
  static func isAboutLimits(_ line: String) -> Bool { line.contains(/: (at most \d+ connections|datagrams \d+\/)/) }

  /// The first address of a service that begins so.
  func address(_ service: String, _ beginning: String = "", datagram: Bool = false) throws -> String {
    let found = served.first { $0.service == service && $0.address.hasPrefix(beginning) && $0.isDatagram == datagram }
    guard let found else { throw HarnessFailure("\(service) \(beginning) is not served; served: \(served)") }
    return found.address
  }

  /// The port of a service's first IPv4 address.
  func port(_ service: String, datagram: Bool = false) throws -> String {
    String(try address(service, "127.", datagram: datagram).split(separator: ":")[1])
  }

  // MARK: Processes

  /// The listener of a service; waits for one that is being started.
  func listener(_ service: String) throws -> pid_t {
    var found: pid_t?
    _ = eventually {
      noteProcesses()
      found =
        ProcessFacts.children(of: process).first { $0.title == "begat-listener: \(service)" && !$0.isZombie }?.process
      return found != nil
    }
    guard let found else { throw HarnessFailure("no listener of \(service)") }
    return found
  }

  /// Kills the listener of a service and waits for its death, and so for that of its spares: a client that one of them
  /// accepts before is lost with it.
  func killListener(_ service: String) throws {
    let listener = try listener(service)
    try Signal.kill.send(to: listener)
    guard eventually({ ProcessFacts(listener)?.isZombie ?? true }) else {
      throw HarnessFailure("the listener of \(service) does not die")
    }
  }

  /// The connection processes of a service, zombies too.
  func connections(_ service: String) throws -> [ProcessFacts] {
    let found = ProcessFacts.children(of: try listener(service))
    for facts in found { seen[facts.process] = facts }
    return found.filter { !$0.isSpare }
  }

  /// Waits until a service has so many connection processes.
  func awaitConnections(_ count: Int, of service: String, within limit: Duration = .seconds(5)) throws -> [pid_t] {
    var found: [ProcessFacts] = []
    let isMet = try eventually(within: limit) {
      found = try connections(service)
      return found.count == count
    }
    guard isMet else { throw HarnessFailure("\(service): \(found.count) connection processes, not \(count)") }
    return found.map(\.process)
  }

  var zombies: [ProcessFacts] { ProcessFacts.descendants(of: process).filter(\.isZombie) }

  func noteProcesses() {
    for facts in ProcessFacts.descendants(of: process) { seen[facts.process] = facts }
  }

  // MARK: The end

  /// Ends it and all of its processes at once: after a failure.
  func kill() {
    noteProcesses()
    program.kill()
    for facts in left { try? Signal.kill.send(to: facts.process) }
  }

  /// Asks it to stop, and asserts that it does so and leaves nothing behind.
  func stop(expecting status: ExitStatus = .exited(code: 0), sourceLocation: SourceLocation = #_sourceLocation) throws {
    guard !isStopped else { return }
    noteProcesses()
    #expect(
      eventually(within: .seconds(2)) { zombies.isEmpty }, "zombies before the stop", sourceLocation: sourceLocation)
    if !program.hasEnded { try program.send(.terminate) }
    try awaitEnd(expecting: status, sourceLocation: sourceLocation)
  }

  /// Asserts that it ends by itself and leaves nothing behind.
  func awaitEnd(
    expecting status: ExitStatus = .exited(code: 0), within limit: Duration = .seconds(10),
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    isStopped = true
    #expect(try program.awaitEnd(within: limit) == status, "\(log.text)", sourceLocation: sourceLocation)
    // All of its processes have standard error as their own.
    #expect(
      log.awaitEnd(within: limit), "somebody of begatd's processes is left: \(left.map(\.title))",
      sourceLocation: sourceLocation)
    #expect(eventually { left.isEmpty }, "processes are left: \(left)", sourceLocation: sourceLocation)
    for served in served where served.address.hasPrefix("/") {
      #expect(
        access(served.address, F_OK) == -1, "\(served.address) was not removed", sourceLocation: sourceLocation)
    }
    #expect(unprintableLines.isEmpty, "log lines that are not printable ASCII", sourceLocation: sourceLocation)
  }

  private var left: [ProcessFacts] { seen.values.filter(\.isThere) }

  private var unprintableLines: [String] {
    log.lines.filter { line in !line.utf8.allSatisfy { (0x20...0x7e).contains($0) } }
  }
}

/// Runs a test against a begatd of its own, and asserts that it ends well.
func withDaemon(
  _ configuration: (TemporaryDirectory) throws -> String, environment: [String] = [], wrapper: [String] = [],
  passing: [CInt] = [], sourceLocation: SourceLocation = #_sourceLocation, _ body: (Daemon) throws -> Void
) throws {
  let directory = try TemporaryDirectory()
  let daemon = try Daemon(
    try configuration(directory), in: directory, environment: environment, wrapper: wrapper, passing: passing)
  do {
    try body(daemon)
  } catch {
    Issue.record("\(error)\nbegatd's log:\n\(daemon.log.text)", sourceLocation: sourceLocation)
    daemon.kill()
    return
  }
  try daemon.stop(sourceLocation: sourceLocation)
}

func withDaemon(
  _ configuration: String, environment: [String] = [], wrapper: [String] = [], passing: [CInt] = [],
  sourceLocation: SourceLocation = #_sourceLocation, _ body: (Daemon) throws -> Void
) throws {
  try withDaemon(
    { _ in configuration }, environment: environment, wrapper: wrapper, passing: passing,
    sourceLocation: sourceLocation, body)
}
