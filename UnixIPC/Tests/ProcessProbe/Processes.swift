import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

func titleIsShown(_ words: [String]) throws {
  setenv("PROBE", "kept", 1)
  let size = try contents("/proc/self/cmdline").utf8.count
  guard let title = ProcessTitle() else { throw Wrong(description: "the arguments are not in one piece") }
  func shown() throws -> String { String(try contents("/proc/self/cmdline").prefix { $0 != "\0" }) }
  title.show("begat-listener: hello")
  try expectEqual(try shown(), "begat-listener: hello", "title")
  title.show("short")
  try expectEqual(try shown(), "short", "shorter title")
  var peer = " 192.0.2.7:51312"
  peer.withUTF8 { title.show(UnsafeRawBufferPointer($0), after: 5) }
  try expectEqual(try shown(), "short 192.0.2.7:51312", "second part")
  title.show("x")
  try expectEqual(try shown(), "x", "title after two parts")

  title.show(String(repeating: "t", count: 1_000_000))
  let longest = try shown()
  try expect(longest.allSatisfy { $0 == "t" } && longest.utf8.count >= size - 1, "cut title: \(longest)")
  try expectEqual(getenv("PROBE").map { String(cString: $0) }, "kept", "variable set before")
  try expect(getenv("PATH") == nil || String(cString: getenv("PATH")).hasPrefix("/"), "PATH was overwritten")
}

private let nobody: uid_t = 65534

func identityIsForGood(_ words: [String]) throws {
  try Identity(user: nobody, group: nobody - 1, groups: [17, 23]).become()
  try expectEqual(try status("Uid"), "65534 65534 65534 65534", "users")
  try expectEqual(try status("Gid"), "65533 65533 65533 65533", "groups")
  try expectEqual(try status("Groups"), "17 23", "supplementary groups")
  try expectEqual(try status("CapEff"), "0000000000000000", "capabilities")
  try expectEqual(
    Identity.effective, Identity(user: nobody, group: nobody - 1, groups: [17, 23]), "effective identity")
  try expect(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1, "came back")
}

func identityNeedsRoot(_ words: [String]) throws {
  if geteuid() == 0 { try Identity(user: nobody, group: nobody).become() }
  let before = Identity.effective
  let found = failure { () throws(SystemCallError) in try Identity(user: 0, group: 0).become() }
  try expectEqual(found, SystemCallError("setresgid", on: "0", code: .notPermitted), "becoming root")
  try expectEqual(Identity.effective, before, "identity")
}

/// A process without privileges becomes itself, and is told about every group that it cannot get or lose.
func identityIsItsOwn(_ words: [String]) throws {
  if geteuid() == 0 { try Identity(user: nobody, group: nobody - 1, groups: [17, 23, 17]).become() }
  let own = Identity.effective
  try own.become()
  // The primary group gives no further right among the supplementary ones.
  var another = own
  another.groups.append(own.group)
  try another.become()
  let status = try Program(path: "/bin/true").running(as: own).run()
  try expectEqual(status, .exited(code: 0), "a program")
  try expectEqual(
    try ForkedProcess.run(ForkedProcess.Options(identity: own)) { 3 }.waitForExit(), .exited(code: 3), "a copy")
  for groups in [[], Array(own.groups.dropFirst()), own.groups + [4711]] where Set(groups) != Set(own.groups) {
    another.groups = groups
    let list = groups.isEmpty ? "no groups" : groups.map(String.init).joined(separator: ",")
    let refused = failure { () throws(SystemCallError) in try another.become() }
    try expectEqual(refused, SystemCallError("setgroups", on: list, code: .notPermitted), "with \(list)")
    let program = failure { () throws(SystemCallError) in try Program(path: "/bin/true").running(as: another).run() }
    try expectEqual(program, SystemCallError("setgroups", on: "/bin/true", code: .notPermitted), "with \(list)")
  }
}

/// In a program that is set-user-ID for a user who is not root: the way back to that user is given up.
func identityOfTheStarter(_ words: [String]) throws {
  try expect(geteuid() != getuid() && getegid() != getgid(), "the program is not set-user-ID")
  let real = Identity.real
  let inCopy = try ForkedProcess.run(ForkedProcess.Options(identity: real)) { geteuid() == real.user ? 0 : 1 }
  try expectEqual(try inCopy.waitForExit(), .exited(code: 0), "a copy")
  let shown = try Program(path: "/usr/bin/id", arguments: ["-ru"]).running(as: real).capture(limit: 100)
  try expectEqual(text(shown.output), "\(real.user)\n", "a program")
  let (user, group) = (geteuid(), getegid())
  try real.become()
  try expect(seteuid(user) == -1 && setegid(group) == -1, "came back")
  try expectEqual(try status("Uid"), "65534 65534 65534 65534", "users")
  try expectEqual(try status("Groups"), "23", "supplementary groups")
}

extension Program {
  fileprivate func running(as identity: Identity) -> Program {
    var program = self
    program.identity = identity
    return program
  }
}

func childFollowsItsParent(_ words: [String]) throws {
  try expectEqual(try ProcessControl.setParentDeathSignal(.child, parent: getppid()), true, "own parent")
  try expectEqual(try ProcessControl.setParentDeathSignal(.child, parent: getpid()), false, "another parent")

  // Three generations: the middle one ends, the youngest waits for something that never comes.
  let life = try PipeEnds()
  let ofYoungest = life.readEnd
  let alive = life.writeEnd
  let never = try PipeEnds()
  let nothing = never.readEnd
  let silent = never.writeEnd
  let middle = try forked {
    let middleNumber = getpid()
    let ready = try PipeEnds()
    let isReady = ready.readEnd
    let sayReady = ready.writeEnd
    _ = try forked {
      guard try ProcessControl.setParentDeathSignal(.kill, parent: middleNumber) else { return 1 }
      try sayReady.writeAll("r")
      _ = try readBytes(1, from: nothing)
      return 0
    }
    _ = try readBytes(1, from: isReady)
    return 0
  }
  _ = consume alive
  try expectEqual(try Children.wait(for: middle), .exited(code: 0), "parent")
  try expect(
    ofYoungest.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))), "the child outlives its parent")
  _ = consume silent
}

func privilegesAreForbidden(_ words: [String]) throws {
  try ProcessControl.setNoNewPrivileges()
  try expectEqual(try status("NoNewPrivs"), "1", "NoNewPrivs")
}

func limitIsRaised(_ words: [String]) throws {
  let limit = ResourceLimit.openFiles
  try limit.set(soft: 64, hard: 128)
  try expectEqual(limit.raise(to: 32), 64, "what is there already")
  try expectEqual(limit.raise(to: 100), 100, "below the hard limit")
  try expectEqual(try limit.current().hard, 128, "hard limit")
  try expectEqual(limit.raise(to: 128), 128, "the hard limit")
  let resourceCapability: UInt64 = 1 << 24
  let isPermitted = (UInt64(try status("CapEff"), radix: 16) ?? 0) & resourceCapability != 0
  try expectEqual(limit.raise(to: 256), isPermitted ? 256 : 128, "above the hard limit")
  try expectEqual(try limit.current().hard, isPermitted ? 256 : 128, "hard limit afterwards")
}

func limitIsRaisedByAUser(_ words: [String]) throws {
  let limit = ResourceLimit.openFiles
  try limit.set(soft: 64, hard: 128)
  if geteuid() == 0 { try Identity(user: nobody, group: nobody).become() }
  try expectEqual(limit.raise(to: 256), 128, "as far as permitted")
  try expectEqual(try limit.current().soft, 128, "soft limit")
}

func alarmEndsTheProcess(_ words: [String]) throws {
  for duration: Duration in [.milliseconds(20), .zero, .seconds(-3), .microseconds(1)] {
    let status = try end {
      Alarm.set(after: duration)
      while true { pause() }
    }
    try expectEqual(status, .killed(by: .alarm, dumpedCore: false), "\(duration)")
  }
  let status = try end {
    Alarm.set(after: .seconds(3600))
    var timer = itimerval()
    getitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer)
    guard (3590...3600).contains(timer.it_value.tv_sec), timer.it_interval.tv_sec == 0 else { return 1 }
    Alarm.set(after: .milliseconds(2500))
    getitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer)
    guard timer.it_value.tv_sec <= 2 else { return 2 }
    Alarm.cancel()
    getitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer)
    return timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0 ? 0 : 3
  }
  try expectEqual(status, .exited(code: 0), "replacing and cancelling")
}
