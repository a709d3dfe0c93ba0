import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let dissociationSubcommands: Subcommands = [
  "dissociation": daemonLeavesItsStarter,
  "dissociation-failed": starterLearnsOfFailure,
  "dissociation-threaded": threadedProcessCannotLeave,
]

/// What a daemon says that leaves a starter, and the starter's status.
private func dissociated(_ body: (inout Daemon.Starter?, borrowing Descriptor) throws -> CInt) throws
  -> (says: String, status: ExitStatus)
{
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let number = writing.number
  let starter = try ForkedProcess.run(ForkedProcess.Options(keptDescriptors: [number])) {
    let forgotten = try Descriptor.open("/dev/null", .readOnly)
    var starter: Daemon.Starter? = try Daemon.detach(keeping: [number], umask: 0o027)
    // Only its number is kept, for its owner here.
    let closed = failure { () throws(SystemCallError) in try forgotten.readPrefix(1) }
    guard closed?.code == ErrorCode.badFileDescriptor else { throw Wrong(description: "a forgotten file is open") }
    return try Descriptor.withBorrowed(number) { try body(&starter, $0) }
  }
  _ = consume writing
  let says = try readBytes(.max, from: reading)
  return (String(decoding: says, as: UTF8.self), try starter.waitForExit())
}

func daemonLeavesItsStarter(_ words: [String]) throws {
  let own = getsid(0)
  let (says, status) = try dissociated { starter, pipe in
    let isLeader = getsid(0) == getpid() || getpgrp() == getpid()
    let directory = getcwd(nil, 0).map { String(cString: $0) } ?? "?"
    starter.take()?.release(status: 0)
    let streams = try [0, 1, 2].map { number in
      try Program(path: "/usr/bin/readlink", arguments: ["/proc/\(getpid())/fd/\(number)"])
        .capture(limit: 100).output
    }
    let isNull = streams.allSatisfy { $0 == Array("/dev/null\n".utf8) }
    try pipe.writeAll("\(isLeader) \(getsid(0) == own) \(directory) \(umask(0)) \(isNull)")
    return 0
  }
  try expectEqual(status, .exited(code: 0), "the starter's status")
  try expectEqual(says, "false false / 23 true", "leader, old session, directory, mask, streams")
}

func starterLearnsOfFailure(_ words: [String]) throws {
  let refused = try dissociated { starter, _ in
    starter.take()?.release(status: 78)
    return 0
  }
  try expectEqual(refused.status, .exited(code: 78), "the status of a starter whose daemon refuses")
  let died = try dissociated { _, _ in raise(SIGKILL) }
  try expectEqual(died.status, .exited(code: 1), "the status of a starter whose daemon dies")
  let dropped = try dissociated { starter, pipe in
    starter = nil
    try pipe.writeAll("alive")
    return 0
  }
  try expectEqual(dropped.status, .exited(code: 1), "the status of a starter whose daemon lets go of it")
  try expectEqual(dropped.says, "alive", "what it says")
}

func threadedProcessCannotLeave(_ words: [String]) throws {
  var thread = pthread_t()
  try expectEqual(pthread_create(&thread, nil, { _ in while true { pause() } }, nil), 0, "pthread_create")
  let error = failure { () throws(SystemCallError) in try Daemon.detach() }
  try expectEqual(error?.code, .deadlock, "leaving with a thread")
}
