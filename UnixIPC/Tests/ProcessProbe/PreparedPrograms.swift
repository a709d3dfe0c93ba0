import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

// MARK: - What a program sees

/// Everything that its starter may have set, a line each.
func showSettings(_ words: [String]) throws {
  let mask = umask(0)
  umask(mask)
  say("umask \(String(mask, radix: 8))")
  say("nice \(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))")
  for (name, limit) in [
    ("open-files", ResourceLimit.openFiles), ("processor-time", .processorTime), ("core-size", .coreSize),
  ] {
    let (soft, hard) = try limit.current()
    say("\(name) \(soft) \(hard)")
  }
  let directory = getcwd(nil, 0)
  defer { free(directory) }
  say("directory \(directory.map { String(cString: $0) } ?? "none")")
  say("group \(getpgid(0) == getpid() ? "leader" : "member")")
  say("session \(getsid(0) == getpid() ? "leader" : "member")")
}

func showEnvironment(_ words: [String]) {
  var next = environ
  while let variable = next.pointee {
    say(escaped(UnsafeRawBufferPointer(start: variable, count: strlen(variable))))
    next += 1
  }
}

/// The inode numbers of all open descriptors in order, said to the last of them.
func showFiles(_ words: [String]) throws {
  let numbers = try openDescriptors()
  let text = try numbers.map { String(try inode($0)) }.joined(separator: " ")
  try Descriptor.withBorrowed(numbers.last ?? -1) { try $0.writeAll(text) }
}

/// Says that it is ready, then which signal came.
func showSignal(_ words: [String]) throws {
  let queue = try SignalQueue(SignalSet(.user1))
  try Descriptor.withBorrowed(STDOUT_FILENO) { try $0.writeAll("ready\n") }
  try expect(queue.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))), "no signal")
  say("\(queue.take().map { "\($0.signal)" } ?? "none")")
}

private func inode(_ number: CInt) throws -> UInt64 {
  var facts = stat()
  try expect(fstat(number, &facts) == 0, "fstat \(number)")
  return UInt64(facts.st_ino)
}

// MARK: - Starting them

/// This program with a subcommand.
private func probe(_ subcommand: String, environment: [String] = []) -> Program {
  Program(
    path: "/proc/self/exe", arguments: [subcommand],
    environment: Program.Environment(entries: (["SWIFT_BACKTRACE=enable=no"] + environment).map { Array($0.utf8) }))
}

/// What a started program prints; it must end well.
private func output(of start: (_ descriptors: [CInt]) throws -> pid_t) throws -> (process: pid_t, text: String) {
  let pipe = try PipeEnds()
  let reading = pipe.readEnd
  let child = try start([0, pipe.writeEnd.number, 2])
  _ = consume pipe.writeEnd
  let text = try String(decoding: readBytes(.max, from: reading), as: UTF8.self)
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "the program: \(text)")
  return (child, text)
}

private func output(of program: Program) throws -> String {
  try output { try program.start(descriptors: $0) }.text
}

func programHasItsSettings(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 1000, hard: 3000)
  let own = try ResourceLimit.processorTime.current()
  umask(0o022)
  var program = probe("show-settings")
  program.directory = "/usr"
  program.umask = 0o137
  program.nice = 3
  program.limits = [.init(.openFiles, soft: 50, hard: 60), .init(.coreSize, soft: 0, hard: 2000)]
  program.leadsGroup = true
  let expected = """
    umask 137
    nice 3
    open-files 50 60
    processor-time \(own.soft) \(own.hard)
    core-size 0 2000
    directory /usr
    group leader
    session member

    """
  // Twice from the same preparation: what the first was given is not the starter's.
  let prepared = PreparedProgram(program)
  for time in 1...2 {
    try expectEqual(try output { try prepared.start(descriptors: $0) }.text, expected, "start \(time)")
  }
  let plain = try output(of: probe("show-settings"))
  for line in ["umask 22", "nice 0", "core-size 1000 3000", "group member", "session member"] {
    try expect(plain.contains(line + "\n"), "without settings: no \(line) in \(plain)")
  }
}

/// A session's leader leads a group already.
func programLeadsBoth(_ words: [String]) throws {
  for (session, group) in [(true, false), (false, true), (true, true), (false, false)] {
    var program = probe("show-settings")
    program.leadsSession = session
    program.leadsGroup = group
    let text = try output(of: program)
    let expected =
      "group \(session || group ? "leader" : "member")\nsession \(session ? "leader" : "member")\n"
    try expect(text.hasSuffix(expected), "session \(session), group \(group): \(text)")
  }
}

func programHasItsDescriptors(_ words: [String]) throws {
  // Low and high numbers, close-on-exec and not, each another file.
  for number in 0..<8 {
    let file = try MemoryFile.create(name: "\(number)", size: 1)
    try file.setCloseOnExec(number % 2 == 0)
    _ = file.release()
  }
  _ = try MemoryFile.create(name: "high", size: 1).duplicate(notBelow: 200).release()
  let open = try openDescriptors()
  try expect(open.count >= 12 && open[0] == 0, "\(open)")
  var state: UInt32 = 7
  func random(_ count: Int) -> Int {
    state = state &* 1_664_525 &+ 1_013_904_223
    return Int(state >> 8) % count
  }
  for round in 0..<40 {
    var numbers = (0..<random(10)).map { _ in open[random(open.count)] }
    // First of all: each exchanged with another, which copying in any order would destroy.
    if round == 0 { numbers = [3, 2, 1, 0, 5, 4] }
    let pipe = try PipeEnds()
    let reading = pipe.readEnd
    let child = try PreparedProgram(probe("show-files")).start(descriptors: numbers + [pipe.writeEnd.number])
    let last = try inode(pipe.writeEnd.number)
    _ = consume pipe.writeEnd
    let text = try String(decoding: readBytes(.max, from: reading), as: UTF8.self)
    try expectEqual(try Children.wait(for: child), .exited(code: 0), "\(numbers)")
    let expected = try numbers.map { try inode($0) } + [last]
    try expectEqual(text, expected.map(String.init).joined(separator: " "), "descriptors \(numbers)")
  }
  try expectEqual(try openDescriptors(), open, "descriptors of the starter")
}

func programHasItsVariables(_ words: [String]) throws {
  var program = probe("show-environment", environment: ["A=1", "TCP="])
  let fixed = "SWIFT_BACKTRACE=enable=no\nA=1\nTCP=\n"
  let prepared = PreparedProgram(program)
  func shown(_ prepared: PreparedProgram, _ write: @escaping (inout PreparedProgram.Variables) -> Void) throws -> String
  {
    try output { try prepared.start(descriptors: $0, variables: write) }.text
  }
  func text(_ count: Int) -> (inout ByteWriter) -> Void {
    { text in for _ in 0..<count { text.append(UInt8(ascii: "x")) } }
  }
  let three = try shown(prepared) {
    $0.add("TCPREMOTEIP") { $0.append("192.0.2.7") }
    $0.add("TCPREMOTEPORT") { $0.append(decimal: UInt16(51312)) }
    $0.add("EMPTY") { _ in }
  }
  try expectEqual(three, fixed + "TCPREMOTEIP=192.0.2.7\nTCPREMOTEPORT=51312\nEMPTY=\n", "first start")
  // A shorter one: nothing of the longer one shows behind it.
  try expectEqual(
    try shown(prepared) { $0.add("TCPREMOTEIP") { $0.append("::1") } }, fixed + "TCPREMOTEIP=::1\n", "second")
  try expectEqual(try shown(prepared) { _ in }, fixed, "start without variables")

  // 4096 bytes with names, equals signs and NULs.
  let tooLong = try shown(prepared) {
    $0.add("BEFORE") { $0.append("b") }
    $0.add("LONG", text(5000))
    $0.add("LONGER", text(4096 - 9 - 7))
    $0.add("AFTER") { $0.append("a") }
  }
  try expectEqual(tooLong, fixed + "BEFORE=b\nAFTER=a\n", "variables that do not fit")
  let longest = String(repeating: "x", count: 4096 - 9 - 3)
  let full = try shown(prepared) {
    $0.add("BEFORE") { $0.append("b") }
    $0.add("L", text(4096 - 9 - 3))
    $0.add("X") { _ in }
  }
  try expectEqual(full, fixed + "BEFORE=b\nL=\(longest)\n", "a variable that just fits")

  for tellsListenProcess in [false, true] {
    program.setsListenPID = tellsListenProcess
    let many = try shown(PreparedProgram(program)) { variables in
      for number in 0..<40 { variables.add("N") { $0.append(decimal: UInt8(number)) } }
    }
    let numbers = many.split(separator: "\n").filter { $0.hasPrefix("N=") }.map(String.init)
    try expectEqual(numbers, (0..<32).map { "N=\($0)" }, "as many as there is room for")
    try expect(many.hasPrefix(fixed), "the fixed ones: \(many)")
  }
}

func programKnowsItsNumber(_ words: [String]) throws {
  var program = probe("show-environment", environment: ["LISTEN_FDS=1"])
  program.setsListenPID = true
  let prepared = PreparedProgram(program)
  for _ in 0..<3 {
    let (child, text) = try output { try prepared.start(descriptors: $0) { $0.add("LAST") { $0.append("1") } } }
    try expectEqual(text, "SWIFT_BACKTRACE=enable=no\nLISTEN_FDS=1\nLISTEN_PID=\(child)\nLAST=1\n", "environment")
  }
}

func programFollowsItsStarter(_ words: [String]) throws {
  let pipe = try PipeEnds()
  let reading = pipe.readEnd
  let writing = pipe.writeEnd
  let gate = try PipeEnds()
  let isOver = gate.readEnd
  let end = gate.writeEnd
  let starter = try forked {
    var program = probe("show-signal")
    program.parentDeathSignal = .user1
    _ = try program.start(descriptors: [0, writing.number, 2])
    _ = try readBytes(1, from: isOver)
    return 0
  }
  _ = consume writing
  try expectEqual(try readBytes(6, from: reading), Array("ready\n".utf8), "the program")
  try expect(
    !reading.wait(for: .readable, until: Deadline(after: .milliseconds(100))), "a signal while its starter lives")
  try end.writeAll("e")
  try expectEqual(try Children.wait(for: starter), .exited(code: 0), "starter")
  try expectEqual(try readBytes(.max, from: reading), Array("SIGUSR1\n".utf8), "the program's signal")
}

/// What is prepared before a signal is ignored knows nothing of it; what is prepared afterwards does.
func programResetsWhatWasChanged(_ words: [String]) throws {
  let before = PreparedProgram(probe("show-signals"))
  Signal.brokenPipe.ignore()
  SignalSet(.terminate, .user1).block()
  let after = PreparedProgram(probe("show-signals"))
  let pipeBit = String(UInt64(1) << UInt64(SIGPIPE - 1), radix: 16)
  try expectEqual(try output { try before.start(descriptors: $0) }.text, "0 \(pipeBit)\n", "prepared before")
  for _ in 1...2 { try expectEqual(try output { try after.start(descriptors: $0) }.text, "0 0\n", "prepared after") }
}

/// By the step that failed, without a zombie and without a trace in the next start.
func programNamesTheStepThatFailed(_ words: [String]) throws {
  try ResourceLimit.openFiles.set(soft: 100, hard: 100)
  if geteuid() == 0 { try Identity(user: 65534, group: 65534).become() }
  func expectFailure(
    _ step: String, on object: String = "/bin/true", _ error: ErrorCode, _ change: (inout Program) -> Void
  ) throws {
    var program = Program(path: "/bin/true")
    change(&program)
    let prepared = PreparedProgram(program)
    for _ in 1...2 {
      let found = failure { () throws(SystemCallError) in try prepared.start(descriptors: [0, 1, 2]) }
      try expectEqual(found, SystemCallError(step, on: object, code: error), step)
      try expectNoChild()
    }
  }
  try expectFailure("setrlimit", .notPermitted) { $0.limits = [.init(.openFiles, soft: 50, hard: 200)] }
  try expectFailure("setrlimit", .invalidArgument) { $0.limits = [.init(.openFiles, soft: 60, hard: 50)] }
  try expectFailure("nice", .notPermitted) { $0.nice = -5 }
  try expectFailure("chdir", on: "/nonexistent/directory", .noSuchFileOrDirectory) {
    $0.directory = "/nonexistent/directory"
  }
  try expectFailure("prctl", .invalidArgument) { $0.parentDeathSignal = Signal(rawValue: 99) }
  try expectFailure("execve", on: "/nonexistent/program", .noSuchFileOrDirectory) { $0.path = "/nonexistent/program" }
  let child = try Program(path: "/bin/true").start(descriptors: [0, 1, 2])
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "a good program after them")
}

func thousandStartsLeaveNothing(_ words: [String]) throws {
  let before = try openDescriptors()
  let good = PreparedProgram(Program(path: "/bin/true"))
  let bad = PreparedProgram(Program(path: "/bin/true", directory: "/nonexistent"))
  for number in 0..<1000 {
    if number % 10 == 9 {
      let found = failure { () throws(SystemCallError) in try bad.start(descriptors: [0, 1, 2]) }
      try expectEqual(found?.code, .noSuchFileOrDirectory, "start \(number)")
    } else {
      let child = try good.start(descriptors: [0, 1, 2, 1, 0])
      try expectEqual(try Children.wait(for: child), .exited(code: 0), "start \(number)")
    }
  }
  try expectEqual(try openDescriptors(), before, "open descriptors")
  try expectNoChild()
}
