import Foundation
import Glibc
@_spi(Begat) import UnixCore

/// Testing has one too.
typealias ExitStatus = UnixCore.ExitStatus

/// A program that a test started: its streams, its end.  Killed when the test lets go of it.
final class RunningProgram {
  /// What it finds on its standard input.
  enum Input {
    case nothing
    /// At most 64 KiB.
    case text(String)
    /// What the test writes to `input`, until it closes that.
    case pipe
  }

  let process: pid_t
  let output: CollectedOutput
  let errors: CollectedOutput
  private var input: Descriptor?
  private(set) var status: ExitStatus?
  /// The directory of begatd's control sockets if the test gives none: two begatds do not share a directory.
  let runtimeDirectory: String?
  /// The state directory if the test gives none: never the machine's own place.
  private let stateDirectory: String?

  /// - Parameter passing: descriptors that the program gets as 3, 4 and so on.
  /// - Parameter isActivated: whether it gets its own process number as LISTEN_PID.
  init(
    _ path: String, _ arguments: [String], input: Input = .nothing, environment: [String] = [], passing: [CInt] = [],
    isActivated: Bool = false
  ) throws {
    // A program that ends early is an error to look at, never the end of the tests.
    Signal.brokenPipe.ignore()
    let outputPipe = try PipeEnds()
    let errorPipe = try PipeEnds()
    // begatd drops what its log does not take immediately, and a busy test reads late.
    try? errorPipe.writeEnd.setPipeCapacity(1 << 20)
    let inputPipe = try PipeEnds()
    switch input {
    case .nothing: self.input = nil
    case .text(let text):
      // The pipe takes it whole before anybody reads.
      precondition(text.utf8.count <= 65_536)
      try inputPipe.writeEnd.writeAll(text)
      self.input = nil
    case .pipe: self.input = try inputPipe.writeEnd.duplicate()
    }
    _ = consume inputPipe.writeEnd
    runtimeDirectory = RunningProgram.directory("run", unless: "RUNTIME_DIRECTORY", isIn: environment)
    stateDirectory = RunningProgram.directory("state", unless: "STATE_DIRECTORY", isIn: environment)
    let added = [
      runtimeDirectory.map { "RUNTIME_DIRECTORY=\($0)" }, stateDirectory.map { "STATE_DIRECTORY=\($0)" },
    ].compactMap { $0 }
    var program = Program(
      path: path, arguments: arguments, environment: .init(entries: RunningProgram.environment + environment + added),
      directory: "/")
    program.setsListenPID = isActivated
    process = try program.start(
      descriptors: [inputPipe.readEnd.number, outputPipe.writeEnd.number, errorPipe.writeEnd.number] + passing)
    output = CollectedOutput(reading: outputPipe.readEnd)
    errors = CollectedOutput(reading: errorPipe.readEnd)
  }

  deinit {
    kill()
    for case let directory? in [runtimeDirectory, stateDirectory] {
      try? FileManager.default.removeItem(atPath: directory)
    }
  }

  /// A path of its own; nil if the test gives one.
  private static func directory(_ kind: String, unless variable: String, isIn environment: [String]) -> String? {
    guard !environment.contains(where: { $0.hasPrefix("\(variable)=") }) else { return nil }
    return "/tmp/begat-e2e-\(kind)-\(getpid())-\(UInt32.random(in: .min ... .max))"
  }

  /// Ends it at once, if it has not ended.
  func kill() {
    guard !hasEnded else { return }
    try? Signal.kill.send(to: process)
    status = try? Children.wait(for: process)
  }

  /// Built, not inherited: the same for everybody.
  static let environment = [
    "PATH=\(Programs.peers):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C", "TZ=UTC", "HOME=/",
  ]

  func write(_ text: String) throws {
    switch input {
    case .some(let input): try input.writeAll(text)
    case nil: throw HarnessFailure("the program has no pipe as input")
    }
  }

  func endInput() { input = nil }

  func send(_ signal: Signal) throws {
    guard status == nil else { throw HarnessFailure("process \(process) ended already: \(status!)") }
    try signal.send(to: process)
  }

  /// Stops the program while `body` runs, so that it finds everything that happened meanwhile together.
  func whileStopped<Result>(_ body: () throws -> Result) throws -> Result {
    try send(.stop)
    guard eventually({ ProcessFacts(process)?.isStopped ?? false }) else {
      throw HarnessFailure("process \(process) did not stop")
    }
    let result = try body()
    try send(.continue)
    return result
  }

  /// Whether it has ended by now.
  var hasEnded: Bool {
    if status == nil { status = Children.reap(process) }
    return status != nil
  }

  /// Waits for its end.
  @discardableResult
  func awaitEnd(within limit: Duration = .seconds(10)) throws -> ExitStatus {
    guard eventually(within: limit, { hasEnded }), let status else {
      throw HarnessFailure("process \(process) did not end within \(limit); standard error:\n\(errors.text)")
    }
    _ = output.awaitEnd(within: .seconds(1))
    _ = errors.awaitEnd(within: .seconds(1))
    return status
  }

  /// Runs a program to its end and returns it.
  static func run(
    _ path: String, _ arguments: [String], input: Input = .nothing, environment: [String] = [],
    within limit: Duration = .seconds(20)
  ) throws -> RunningProgram {
    let program = try RunningProgram(path, arguments, input: input, environment: environment)
    try program.awaitEnd(within: limit)
    return program
  }

  /// The same with one of the machine's own programs; a failure of it is one of the test.
  static func tool(_ name: String, _ arguments: [String], input: Input = .nothing) throws -> RunningProgram {
    let program = try run(try Programs.tool(name), arguments, input: input)
    guard program.status == .exited(code: 0) else {
      throw HarnessFailure("\(name) \(arguments): \(program.status!); \(program.errors.text)\(program.output.text)")
    }
    return program
  }
}
