import ControlProtocol
import Glibc
import JSON
import Settings
@_spi(Begat) import UnixCore

/// The answer of a new program that was tried: a line of JSON, which every later version understands.
struct TrialAnswer: Hashable {
  /// The version of the new program.
  var version = BegatVersion.text
  /// Why it cannot go on from here, a line each; empty if it can.
  var problems: [String] = []

  var line: String {
    let json: JSONValue = [
      "begatd-trial": .integer(1), "version": .string(version), "problems": .array(problems.map { .string($0) }),
    ]
    return "\(json.text)\n"
  }

  init(problems: [String] = []) { self.problems = problems }

  /// Nil for another line.
  init?(line: some Sequence<UInt8>) {
    guard let json = try? JSONReader.read(Array(line)), json["begatd-trial"] != nil,
      let version = json["version"]?.string, let problems = try? json.texts("problems")
    else { return nil }
    self.version = version
    self.problems = problems
  }
}

/// The trial of a new program, before begatd becomes it: a child of it looks at copies of everything that it would get.
///
/// The child has the sockets too, so it may not live for long.
final class Preflight {
  /// Why the program does not take begatd's place.
  struct Refusal: Error {
    /// One line, which names the program.
    let reason: String
    /// Further lines.
    var problems: [String] = []
  }

  /// How long a program may take, in nanoseconds.
  static let patience: Int64 = 10_000_000_000
  /// More output than this is none of a program that can take begatd's place.
  private static let maxOutput = 256 << 10

  let program: HeldProgram
  /// The process; nil when it was reaped.
  private(set) var process: pid_t?
  private let deadline = SystemClock.monotonic() + Preflight.patience
  private let pipe: Descriptor
  private var output: [UInt8] = []
  private var isLate = false
  private var isEnding = false

  /// When something is to be done, CLOCK_MONOTONIC nanoseconds.
  var nextTime: Int64 { isEnding ? SystemClock.monotonic() + 100_000_000 : deadline }

  /// Starts the child.
  ///
  /// - Parameter descriptors: which it gets as 3 and so on.
  /// - Parameter start: starts it, with the privileges that it needs.
  init(
    _ program: HeldProgram, arguments: [String], descriptors: [CInt], limits: [Program.Limit],
    start: (() throws(SystemCallError) -> pid_t) throws(SystemCallError) -> pid_t
  ) throws(SystemCallError) {
    self.program = program
    let ends = try PipeEnds()
    pipe = ends.readEnd
    try pipe.setNonBlocking(true)
    var command = program.program(arguments, title: program.path)
    command.environment = .inherited
    // No copy of a socket outlives begatd.
    command.parentDeathSignal = .kill
    command.limits = limits
    let all = [StandardStreams.nullNumber, ends.writeEnd.number, ends.writeEnd.number] + descriptors
    process = try start { () throws(SystemCallError) in try command.start(descriptors: all) }
  }

  /// Readable when there is output, and when it ends.
  var number: CInt { pipe.number }

  /// Reads what there is.
  ///
  /// - Returns: whether nothing more will come.
  func read() -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { room in
      while true {
        do throws(SystemCallError) {
          let count = try pipe.read(into: room)
          guard count > 0 else { return true }
          output += room[..<count]
          if output.count > Preflight.maxOutput { return true }
        } catch { return error.code != .wouldBlock }
      }
    }
  }

  /// Ends the child if it has had its time.
  func endIfLate() {
    guard !isEnding, deadline <= SystemClock.monotonic() else { return }
    isLate = true
    end()
  }

  /// Ends the child; its death comes as a signal.
  func end() {
    guard !isEnding, let process else { return }
    isEnding = true
    try? Signal.kill.send(to: process)
  }

  /// The child has ended.
  ///
  /// - Returns: the version of the program, if it can take begatd's place.
  func settle(_ status: ExitStatus) throws(Refusal) -> String {
    process = nil
    _ = read()
    let lines = output.split(separator: UInt8(ascii: "\n"))
    let answer = lines.lazy.compactMap { TrialAnswer(line: $0) }.first
    let place = escaped(program.path.utf8)
    if isLate { throw Refusal(reason: "\(place) does not answer within 10s") }
    guard let answer, status.isSuccess || !answer.problems.isEmpty else {
      let said = lines.suffix(3).map { escaped($0, doublingBackslashes: false) }
      throw Refusal(reason: "\(place) is no begatd that can take over from a running one: \(status)", problems: said)
    }
    guard answer.problems.isEmpty else {
      throw Refusal(
        reason: "\(place), version \(escaped(answer.version.utf8)), cannot go on from here",
        problems: answer.problems.map { escaped($0.utf8, doublingBackslashes: false) })
    }
    return answer.version
  }
}
