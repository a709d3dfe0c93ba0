import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

func showArguments(_ words: [String]) { for word in CommandLine.arguments { say(escaped(word.utf8)) } }

/// All open descriptors but the one that lists them.
func showDescriptors(_ words: [String]) throws { say(try openDescriptors().map(String.init).joined(separator: " ")) }

func openDescriptors() throws -> [CInt] {
  guard let directory = opendir("/proc/self/fd") else { throw Wrong(description: "opendir") }
  defer { closedir(directory) }
  var numbers: [CInt] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if let number = CInt(name), number != dirfd(directory) { numbers.append(number) }
  }
  return numbers.sorted()
}

func showSession(_ words: [String]) { say(getsid(0) == getpid() ? "leader" : "member") }

/// Blocked and ignored signals, but for 32 and 33: those are the C library's own, which nobody can reset.
func showSignals(_ words: [String]) throws {
  let sets = try ["SigBlk", "SigIgn"].map { (UInt64(try status($0), radix: 16) ?? .max) & ~(3 << 31) }
  say(sets.map { String($0, radix: 16) }.joined(separator: " "))
}

/// Starts this program again and returns what it prints.
private func startAgain(_ subcommand: String) throws -> String {
  let pipe = try PipeEnds()
  let output = pipe.readEnd
  let program = Program(
    path: "/proc/self/exe", arguments: [subcommand], environment: ["SWIFT_BACKTRACE=enable=no"])
  let child = try program.start(descriptors: [0, pipe.writeEnd.number])
  _ = consume pipe.writeEnd
  let text = try String(decoding: readBytes(.max, from: output), as: UTF8.self)
  try expectEqual(try Children.wait(for: child), .exited(code: 0), subcommand)
  return text
}

func programStartsWithDefaultSignals(_ words: [String]) throws {
  Signal.brokenPipe.ignore()
  Signal.hangUp.ignore()
  SignalSet(.terminate, .child, .realTime(3)!).block()
  let mine = "\(try status("SigBlk")) \(try status("SigIgn"))"
  try expect(!mine.contains("0000000000000000"), "the signals are not set here: \(mine)")
  try expectEqual(try startAgain("show-signals"), "0 0\n", "signals of the program")
  try expectEqual("\(try status("SigBlk")) \(try status("SigIgn"))", mine, "signals of the starter")
}

func programIgnoresWhatItIsTold(_ words: [String]) throws {
  Signal.brokenPipe.ignore()
  try Signal.hangUp.setDisposition(.counted)
  try expectEqual(SignalSet.ignored, SignalSet(.brokenPipe), "what is ignored here")
  var program = Program(path: "/bin/sed", arguments: ["-n", "s/^SigIgn:\\t0*//p", "/proc/self/status"])
  try expectEqual(try program.output(), "\n", "what others ignore")
  program.ignoredSignals = SignalSet(.hangUp, .user1)
  try expectEqual(try program.output(), "201\n", "what the program ignores")
  try expectEqual(try Signal.hangUp.disposition, .counted, "the starter's own")
}

func programGetsBytes(_ words: [String]) throws {
  let environment: [[UInt8]] = [Array("A=".utf8) + [0xff, 0xc3], Array("EMPTY=".utf8)]
  let script = "printf %s \"$1/$A\""
  let words: [[UInt8]] = ["-c", script, "sh"].map { Array($0.utf8) } + [[0x61, 0xff]]
  var program = Program(path: "/bin/sh", argumentBytes: words, environment: Program.Environment(entries: environment))
  let expected: [UInt8] = [0x61, 0xff, 0x2f, 0xff, 0xc3]
  try expectEqual(try program.capture(limit: 100).output, expected, "started")
  // Its own become another's, too.
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let child = try ForkedProcess.run(ForkedProcess.Options(keptDescriptors: [writing.number])) {
    environment[0].withUnsafeBytes { bytes in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
      copy.copyMemory(from: bytes)
      copy[bytes.count] = 0
      _ = copy.baseAddress.map { putenv($0.assumingMemoryBound(to: CChar.self)) }
    }
    dup2(writing.number, STDOUT_FILENO)
    let own = Program.Environment.inherited.entries.contains(environment[0])
    if !own { return 9 }
    try ProcessControl.becomeProgram(at: "/bin/sh", arguments: words)
  }
  _ = consume writing
  try expectEqual(try reading.readPrefix(100), expected, "become")
  try expectEqual(try child.waitForExit(), .exited(code: 0), "status")
  let refused = failure { () throws(SystemCallError) in
    try ProcessControl.becomeProgram(at: "/bin/sh", arguments: [[0x61, 0, 0x62]])
  }
  try expectEqual(refused?.code, .invalidArgument, "a NUL")
  program.arguments.append("x")
  try expectEqual(program.argumentBytes.last, [0x78], "the text of one")
}

extension Program {
  fileprivate func output() throws -> String { String(decoding: try capture(limit: 1000).output, as: UTF8.self) }
}

func closedStreamsMayStayClosed(_ words: [String]) throws {
  for isFailing in [false, true] {
    let child = try ForkedProcess.run {
      close(STDIN_FILENO)
      close(STDOUT_FILENO)
      guard try StandardStreams.ensureOpen(failing: isFailing) == [STDIN_FILENO, STDOUT_FILENO] else { return 2 }
      var byte: UInt8 = 0
      if (read(STDIN_FILENO, &byte, 1) == -1) != isFailing { return 5 }
      if (write(STDOUT_FILENO, "x", 1) == -1) != isFailing { return 3 }
      return (fcntl(STDOUT_FILENO, F_GETFD) & FD_CLOEXEC != 0) == isFailing ? 0 : 4
    }
    try expectEqual(child.waitForExit(), .exited(code: 0), "failing: \(isFailing)")
  }
}

func missingProgramIsAnError(_ words: [String]) throws {
  try expectFailure(
    of: Program(path: "/nonexistent/program"),
    SystemCallError("execve", on: "/nonexistent/program", code: .noSuchFileOrDirectory))
  try expectFailure(
    of: Program(path: "/etc/passwd"),
    SystemCallError("execve", on: "/etc/passwd", code: .permissionDenied))
  try expectNoChild()
}

func missingDirectoryIsAnError(_ words: [String]) throws {
  try expectFailure(
    of: Program(path: "/bin/true", directory: "/nonexistent/directory"),
    SystemCallError("chdir", on: "/nonexistent/directory", code: .noSuchFileOrDirectory))
  try expectNoChild()
}

private func expectFailure(of program: Program, _ expected: SystemCallError) throws {
  let found = failure { () throws(SystemCallError) in try program.start(descriptors: [0, 1, 2]) }
  try expectEqual(found, expected, "starting \(program.path)")
}

/// Not even a zombie.
func expectNoChild() throws {
  try expect(waitpid(-1, nil, WNOHANG | 0x4000_0000) == -1 && errno == ECHILD, "a child is left")
}
