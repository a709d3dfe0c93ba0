import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let commandLineSubcommands: Subcommands = [
  "command-line-program": commandLineProgramEnds,
  "standard-streams-borrowed": standardStreamsAreBorrowed,
  "cancellation-signals": cancellationFollowsSignals,
  "cancellation-signals-server": cancellationEndsAServer,
]

/// `command-line-program WAY [FIFO]`
func commandLineProgramEnds(_ words: [String]) throws {
  CommandLineProgram.run {
    let server = try words.count > 1 ? FIFOServer(at: words[1]) : nil
    defer { withExtendedLifetime(server) {} }
    if words[0] == "full" {
      let full = try Descriptor.open("/dev/full", .writeOnly)
      try expect(dup2(full.number, STDOUT_FILENO) == STDOUT_FILENO, "dup2")
    }
    print("printed")
    switch words[0] {
    case "throw": throw Wrong(description: "went wrong")
    case "exit": throw CommandLineProgram.Exit(status: 64, message: "usage: probe")
    case "quiet": throw CommandLineProgram.Exit(status: 3)
    case "great": throw CommandLineProgram.Exit(status: 256)
    default: return
    }
  }
}

func standardStreamsAreBorrowed(_ words: [String]) throws {
  try StandardStreams.output.writeAll("out\n")
  try StandardStreams.error.writeAll("err\n")
  let ends = try PipeEnds()
  let writing = ends.writeEnd
  try writing.writeAll("out again\n")
  _ = consume writing
  try ends.readEnd.copyAll(to: StandardStreams.output)
  try expectEqual(StandardStreams.input.read(maxCount: 1), [], "the end of the input")
}

func cancellationFollowsSignals(_ words: [String]) throws {
  do {
    let end = try Cancellation(on: [.user1, .terminate])
    try expect(!end.isCancelled, "cancelled too early")
    let second = failure { () throws(SystemCallError) in try Cancellation(on: [.user1]) }
    try expectEqual(second?.code, .resourceBusy, "a second one")
    // A copy is not cancelled by what its parent gets, and the other way round.
    let copy = try ForkedProcess.run {
      try Signal.user1.raise()
      return 0
    }
    try expectEqual(copy.waitForExit(), .killed(by: .user1, dumpedCore: false), "a copy")
    try expect(!end.isCancelled, "cancelled by a copy's signal")
    let ends = try PipeEnds()
    let sender = try ForkedProcess.run {
      try Signal.terminate.send(to: getppid())
      return 0
    }
    let refused = failure { () throws(SystemCallError) in
      try ends.readEnd.read(maxCount: 1, until: Deadline(after: .seconds(20)), cancelledBy: end)
    }
    try expectEqual(refused?.code, .canceled, "a wait")
    try expect(end.isCancelled && end.isCancelled, "it does not stay cancelled")
    try expectEqual(sender.waitForExit(), .exited(code: 0), "the sender")
  }
  try expectEqual(Signal.terminate.disposition, .default, "the former disposition")
  let other = try Cancellation(on: [.terminate])
  other.cancel()
  try expect(other.isCancelled, "not cancelled by hand")
}

/// `cancellation-signals-server FIFO`: what the article shows.
func cancellationEndsAServer(_ words: [String]) throws {
  let parent = getpid()
  let end = try Cancellation(on: .terminationRequests)
  var server = try FIFOServer(at: words[0])
  let sender = try ForkedProcess.run {
    try Signal.terminate.send(to: parent)
    return 0
  }
  while !end.isCancelled { _ = try server.serve(cancelledBy: end) { "a text" } }
  try expectEqual(sender.waitForExit(), .exited(code: 0), "the sender")
}
