import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let processSubcommands: Subcommands = [
  "child-dropped": childThatIsDroppedIsGone,
  "child-ended": childIsEnded,
  "child-handle": handleMeansOneProcess,
]

private func sleeper(ignoringTerm: Bool = false) throws -> Program {
  let script = ignoringTerm ? "trap '' TERM; echo; while :; do sleep 5; done" : "echo; sleep 50"
  var program = Program(path: "/bin/sh", arguments: ["-c", script])
  program.leadsGroup = true
  return program
}

/// The child, when its trap is set.
private func started(_ program: Program) throws -> ChildProcess {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let child = try program.spawn(descriptors: [reading.number, writing.number])
  _ = try readBytes(1, from: reading)
  return child
}

func childThatIsDroppedIsGone(_ words: [String]) throws {
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let number: pid_t
  do {
    // Two processes: the shell, and what it starts.
    let child = try sleeper().spawn(descriptors: [reading.number, writing.number])
    _ = consume writing
    _ = try readBytes(1, from: reading)
    number = child.process
  }
  try expect(kill(number, 0) == -1 && errno == ESRCH, "\(number) is still there")
  try expect(
    reading.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))),
    "somebody of the group of \(number) is still there")
  try nothingToReap([])

  let released = try started(sleeper()).release()
  try expect(kill(released, 0) == 0, "a released child was ended")
  try Signal.kill.send(toGroup: released)
  try expectEqual(Children.wait(for: released), .killed(by: .kill, dumpedCore: false), "status of the released")
}

func childIsEnded(_ words: [String]) throws {
  try expectEqual(started(sleeper()).terminate(), .killed(by: .terminate, dumpedCore: false), "one that obeys")
  let stubborn = try started(sleeper(ignoringTerm: true))
  try expectEqual(
    stubborn.terminate(gracePeriod: .milliseconds(50)), .killed(by: .kill, dumpedCore: false), "one that does not")
  let stopped = try started(sleeper())
  stopped.send(Signal(rawValue: SIGSTOP))
  try expectEqual(stopped.terminate(), .killed(by: .terminate, dumpedCore: false), "a stopped one")

  let late = try started(sleeper())
  try expect(late.status(until: Deadline(after: .milliseconds(20))) == nil, "a status before the end")
  late.send(.terminate)
  try expectEqual(late.status(), .killed(by: .terminate, dumpedCore: false), "status")
  try expectEqual(late.status(), .killed(by: .terminate, dumpedCore: false), "status asked for again")
  late.send(.kill)
  try expectEqual(late.waitForExit(), .killed(by: .terminate, dumpedCore: false), "status waited for")
  try nothingToReap([])
}

func handleMeansOneProcess(_ words: [String]) throws {
  let child = try started(sleeper())
  let handle = try ProcessHandle(child.process)
  try expect(!handle.hasEnded, "it has ended")
  try expect(!handle.waitForExit(until: Deadline(after: .milliseconds(20))), "it has ended")
  try handle.send(.kill)
  try expect(handle.waitForExit(until: Deadline(after: .seconds(20))), "it has not ended")
  try expect(handle.hasEnded, "it has not ended")
  _ = try child.waitForExit()
  let late = failure { () throws(SystemCallError) in try handle.send(.terminate) }
  try expectEqual(late?.code, .noSuchProcess, "a signal to one that was reaped")
}
