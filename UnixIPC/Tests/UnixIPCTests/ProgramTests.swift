import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ProgramTests {
  /// What a program prints.
  private func output(of path: String, _ arguments: [String], environment: [String] = [], directory: String? = nil)
    throws -> String
  {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let program = Program(
      path: path, arguments: arguments, environment: Program.Environment(entries: environment.map { Array($0.utf8) }),
      directory: directory)
    let child = try program.start(descriptors: [writing.number, writing.number, writing.number])
    _ = consume writing
    let text = try String(decoding: reading.readToEnd(), as: UTF8.self)
    #expect(try Children.wait(for: child).isSuccess)
    return text
  }

  @Test("looks up a variable of its environment")
  func looksUpVariables() {
    let environment: Program.Environment = ["HOME": "/h", "A": "b=c", "EMPTY": ""]
    #expect(environment["HOME"] == "/h" && environment["A"] == "b=c" && environment["EMPTY"] == "")
    #expect(environment["HOM"] == nil && environment["A=b"] == nil && environment[""] == nil)
    #expect(environment.updating(["HOME": nil])["HOME"] == nil)
    #expect(Program.Environment.inherited["PATH"] != nil)
  }

  @Test("gets exactly its arguments")
  func getsItsArguments() throws {
    let words = [
      "show-arguments", "", "a b", "$HOME", "'\"", "*", "\n", "-n", "é", "\\", String(repeating: "x", count: 9000),
    ]
    let result = try ProbeProgram(words: words).run()
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines == (["process-probe"] + words).map { escaped($0.utf8) } + [""])
  }

  @Test("that is detached is nobody's child, and a failed start is an error all the same")
  func isDetached() throws { try ProbeProgram.check("pipe-detached") }

  @Test("gets exactly its environment")
  func getsItsEnvironment() throws {
    let variables = ["A=1", "EMPTY=", "SPACE=a b", "TWICE=1=2"]
    #expect(try output(of: "/usr/bin/env", [], environment: variables) == variables.map { $0 + "\n" }.joined())
    #expect(try output(of: "/usr/bin/env", []) == "")
  }

  @Test("gets exactly its descriptors, whatever their numbers here", arguments: [0, 1, 5])
  func getsItsDescriptors(more: Int) throws {
    // Open here and not close-on-exec: as other libraries leave them.
    let leaked = try Descriptor.open("/dev/null", .readOnly).duplicate(notBelow: 200)
    try leaked.setCloseOnExec(false)
    let result = try ProbeProgram(
      words: ["show-descriptors"], descriptors: [CInt](repeating: leaked.number, count: more)
    ).run()
    #expect(result.output == (0..<(3 + more)).map(String.init).joined(separator: " ") + "\n")
  }

  @Test("gets its descriptors in the order that they are given")
  func getsItsDescriptorsInOrder() throws {
    let first = try PipeEnds()
    let second = try PipeEnds()
    let input = try Descriptor.open("/dev/null", .readOnly)
    let program = Program(path: "/bin/sh", arguments: ["-c", "echo one >&1; echo two >&2"])
    let child = try program.start(descriptors: [input.number, first.writeEnd.number, second.writeEnd.number])
    #expect(try Children.wait(for: child).isSuccess)
    let one = first.readEnd
    let two = second.readEnd
    _ = consume first.writeEnd
    _ = consume second.writeEnd
    #expect(try one.readToEnd() == Array("one\n".utf8))
    #expect(try two.readToEnd() == Array("two\n".utf8))
  }

  @Test("starts where it is told, else where its starter is")
  func startsInADirectory() throws {
    let directory = try TemporaryDirectory()
    #expect(try output(of: "/bin/pwd", ["-P"], directory: directory.path) == directory.path + "\n")
    let here = getcwd(nil, 0)
    defer { free(here) }
    #expect(try output(of: "/bin/pwd", ["-P"]) == String(cString: try #require(here)) + "\n")
  }

  @Test("leads a session of its own where it is asked to", arguments: [(true, "leader\n"), (false, "member\n")])
  func leadsASession(isLeader: Bool, expected: String) throws {
    let result = try ProbeProgram(words: ["show-session"], leadsSession: isLeader).run()
    #expect(result.output == expected)
  }

  @Test("gets arguments and variables that are no text")
  func getsBytes() throws { try ProbeProgram.check("program-bytes") }

  @Test("ignores the signals that it is told to, and no others")
  func ignoresSignals() throws { try ProbeProgram.check("program-ignored-signals") }

  @Test("has default signals and an empty mask, whatever its starter ignores and blocks")
  func hasDefaultSignals() throws { try ProbeProgram.check("program-signals") }

  @Test("that is missing or no program is an error here and leaves no zombie")
  func isMissing() throws { try ProbeProgram.check("program-missing") }

  @Test("whose directory is missing is an error that names it and leaves no zombie")
  func hasNoDirectory() throws { try ProbeProgram.check("program-directory") }

  @Test(
    "cannot be given a descriptor that is not open",
    arguments: [([1_000_000], "dup2"), ([0, 1_000_000], "fcntl"), ([-1], "fcntl")] as [([CInt], String)])
  func needsOpenDescriptors(descriptors: [CInt], step: String) {
    let found = failure { () throws(SystemCallError) in
      try Program(path: "/bin/true").start(descriptors: descriptors)
    }
    #expect(found == SystemCallError(step, on: "/bin/true", code: ErrorCode.badFileDescriptor))
  }

  @Test("starts from many threads at once")
  func startsFromManyThreads() throws {
    let results = Results()
    let threads = (0..<8).map { _ in
      Background {
        for _ in 0..<25 {
          let child = try? Program(path: "/bin/true").start(descriptors: [])
          results.add(child.flatMap { try? Children.wait(for: $0).isSuccess } ?? false)
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(results.all == [Bool](repeating: true, count: 200))
  }

  @Test("with a NUL in a text is refused, not cut")
  func refusesNUL() throws { try ProbeProgram.check("bound-nul") }

  @Test("may have a caller without any environment")
  func mayHaveNoEnvironment() throws { try ProbeProgram.check("bound-environment") }
}

/// Filled by threads.
private final class Results: @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var values: [Bool] = []

  func add(_ value: Bool) {
    pthread_mutex_lock(&mutex)
    values.append(value)
    pthread_mutex_unlock(&mutex)
  }

  var all: [Bool] { values }

  @Test("gets the descriptors that are passed to it, and any umask")
  func getsWhatIsPassed() throws { try ProbeProgram.check("program-passing") }

  @Test("runs under its path without further arguments, or under another name")
  func hasAName() throws {
    let script = ["-c", "echo $0 $1", "zero", "one"]
    #expect(try Program(path: "/bin/sh", arguments: script).capture(limit: 100).string == "zero one\n")
    var program = Program(path: "/bin/cat", arguments: ["/proc/self/cmdline"])
    #expect(try program.capture(limit: 100).string == "/bin/cat\0/proc/self/cmdline\0")
    program.argumentZero = "dog"
    #expect(try program.capture(limit: 100).string == "dog\0/proc/self/cmdline\0")
  }

  @Test("is found by its name, and runs under it")
  func isFoundByName() throws {
    let program = try Program(named: "cat", arguments: ["/proc/self/cmdline"], searchPath: "/nowhere:/bin")
    #expect(program.path == "/bin/cat")
    #expect(try program.capture(limit: 100).string == "cat\0/proc/self/cmdline\0")
    let missing = failure { () throws(SystemCallError) in try Program(named: "cat", searchPath: "/nowhere") }
    #expect(missing == SystemCallError("execve", on: "cat", code: .noSuchFileOrDirectory))
  }

  @Test("inherits the variables of its caller, with changes")
  func inheritsVariables() throws {
    setenv("PROC_PROBE", "here", 1)
    func shown(_ environment: Program.Environment) throws -> [Substring] {
      try Program(path: "/usr/bin/env", environment: environment).capture(limit: 1 << 20).string.split(separator: "\n")
    }
    #expect(try Program(path: "/usr/bin/env").capture(limit: 1 << 20).string.contains("PROC_PROBE=here\n"))
    let changed = try shown(.inherited.updating(["PROC_PROBE": "there", "B": "="]))
    #expect(changed.filter { $0.hasPrefix("PROC_PROBE") } == ["PROC_PROBE=there"] && changed.contains("B=="))
    #expect(try !shown(.inherited.updating(["PROC_PROBE": nil])).contains { $0.hasPrefix("PROC_PROBE") })
    #expect(try shown(["A": "1", "B": "2"]) == ["A=1", "B=2"])
    #expect(try shown(["A=1", "B"]) == ["A=1", "B"])
    #expect(try shown(.empty) == [])
    let name = failure { () throws(SystemCallError) in try Program(path: "/bin/true", environment: ["A=B": "c"]).run() }
    #expect(name?.code == .invalidArgument)
  }

  @Test("that fails is an error where success is asked for, with the end of what it wrote")
  func isChecked() throws {
    let good = try Program(path: "/bin/echo", arguments: ["hello"]).capture(limit: 100).checkSuccess()
    #expect(good.string == "hello\n" && good.description == "/bin/echo: exit 0, 6 bytes of output, 0 of errors")
    let bad = Program(path: "/bin/sh", arguments: ["-c", "echo some; printf 'it \\033[1m failed\n' >&2; exit 3"])
    let captured = try bad.capture(errors: .separate, limit: 100)
    let error = failure { () throws(ProgramError) in try captured.checkSuccess() }
    #expect(error?.description == #"/bin/sh: exit 3: it \x1b[1m failed"#)
    let run = failure { () throws(ProgramError) in try captured.status.checkSuccess(of: bad) }
    #expect(run?.description == "/bin/sh: exit 3")
    let late = try Program(path: "/bin/sleep", arguments: ["50"]).capture(limit: 1, until: Deadline(after: .zero))
    let lateness = failure { () throws(ProgramError) in try late.checkSuccess() }
    #expect(lateness?.description == "/bin/sleep: killed by SIGTERM (it took too long)")
  }
}
