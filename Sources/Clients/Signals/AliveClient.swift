import Glibc
import JSON
@_spi(Begat) import UnixCore

/// `begat alive`: whether processes are there.
public struct AliveClient: Sendable {
  public enum Question: Sendable {
    case whetherThere
    /// Waits until all of them have ended, at most so long; nil waits forever.
    case whetherGone(within: Duration?)
  }

  public var processes: [pid_t]
  public var question: Question
  public var printsJSON: Bool

  public init(_ processes: [pid_t], question: Question = .whetherThere, printsJSON: Bool = false) {
    self.processes = processes
    self.question = question
    self.printsJSON = printsJSON
  }

  /// Prints what each of them is.
  ///
  /// - Returns: whether all of them are there; of `whetherGone`, whether all of them are gone.
  public func run() -> Bool {
    let command = CommandRun(command: "begat alive")
    return command.attempt(failure: false) {
      switch question {
      case .whetherThere:
        let states = try processes.map { try Liveness(of: $0) }
        try show(states)
        return !states.contains(.gone)
      case .whetherGone(let limit):
        let watch = try ProcessWatch(processes)
        if StandardStream.errors.isTerminal, watch.count > 0 {
          StandardStream.complain("[Waiting for \(watch.count) of \(processes.count) to end]")
        }
        try watch.awaitEnds(until: limit.map { Deadline(after: $0) } ?? .never)
        let states = watch.states
        try show(states)
        return states.allSatisfy { $0 == .gone }
      }
    }
  }

  private func show(_ states: [Liveness]) throws(SystemCallError) {
    try StandardStream.output.write(printsJSON ? json(states) : table(states))
  }

  func table(_ states: [Liveness]) -> String {
    var table = TextTable(.right, .left)
    for (process, state) in zip(processes, states) { table.add(String(process), words(state)) }
    return table.text
  }

  func json(_ states: [Liveness]) -> String {
    let objects = zip(processes, states).map { process, state in
      ["pid": .count(process), "state": .string(words(state))] as JSONValue
    }
    return JSONValue.array(objects).text + "\n"
  }

  private func words(_ state: Liveness) -> String {
    switch state {
    case .alive: "alive"
    case .gone: "gone"
    case .notOurs: "not ours"
    }
  }
}
