import Glibc
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
  let pipe = try Pipe.open()
  let output = pipe.reading
  let program = Program(
    path: "/proc/self/exe", arguments: ["process-probe", subcommand], environment: ["SWIFT_BACKTRACE=enable=no"])
  let child = try program.start(descriptors: [0, pipe.writing.number])
  _ = consume pipe.writing
  let text = try String(decoding: readBytes(.max, from: output), as: UTF8.self)
  try expectEqual(try Children.await(child), .exited(code: 0), subcommand)
  return text
}

func programStartsWithDefaultSignals(_ words: [String]) throws {
  Signal.brokenPipe.ignore()
  Signal.hangUp.ignore()
  SignalSet(.terminate, .child, .realTime(3)).block()
  let mine = "\(try status("SigBlk")) \(try status("SigIgn"))"
  try expect(!mine.contains("0000000000000000"), "the signals are not set here: \(mine)")
  try expectEqual(try startAgain("show-signals"), "0 0\n", "signals of the program")
  try expectEqual("\(try status("SigBlk")) \(try status("SigIgn"))", mine, "signals of the starter")
}

func missingProgramIsAnError(_ words: [String]) throws {
  try expectFailure(
    of: Program(path: "/nonexistent/program", arguments: ["program"]),
    CallFailure("execve", on: "/nonexistent/program", errno: .noSuchFile))
  try expectFailure(
    of: Program(path: "/etc/passwd", arguments: ["passwd"]),
    CallFailure("execve", on: "/etc/passwd", errno: .permissionDenied))
  try expectNoChild()
}

func missingDirectoryIsAnError(_ words: [String]) throws {
  try expectFailure(
    of: Program(path: "/bin/true", arguments: ["true"], directory: "/nonexistent/directory"),
    CallFailure("chdir", on: "/nonexistent/directory", errno: .noSuchFile))
  try expectNoChild()
}

private func expectFailure(of program: Program, _ expected: CallFailure) throws {
  let found = failure { () throws(CallFailure) in try program.start(descriptors: [0, 1, 2]) }
  try expectEqual(found, expected, "starting \(program.path)")
}

/// Not even a zombie.
func expectNoChild() throws {
  try expect(waitpid(-1, nil, WNOHANG | 0x4000_0000) == -1 && errno == ECHILD, "a child is left")
}
