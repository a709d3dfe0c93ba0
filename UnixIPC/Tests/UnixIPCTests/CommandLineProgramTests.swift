import Glibc
import Testing
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct CommandLineProgramTests {
  @Test(
    "ends with the status of its body, and reports an error with its name",
    arguments: [
      ("return", 0, "printed\n"), ("throw", 1, "printed\nprocess-probe: went wrong\n"),
      ("exit", 64, "printed\nusage: probe\n"), ("quiet", 3, "printed\n"), ("great", 255, "printed\n"),
      ("full", 1, "process-probe: write standard output: No space left on device\n"),
    ] as [(String, CInt, String)])
  func ends(way: String, status: CInt, output: String) throws {
    let result = try ProbeProgram(words: ["command-line-program", way]).run()
    #expect(result.status == .exited(code: status) && result.output == output, "\(result)")
  }

  @Test("leaves nothing behind that its body owns", arguments: ["return", "throw", "exit"])
  func leavesNothing(way: String) throws {
    let directory = try TemporaryDirectory()
    _ = try ProbeProgram(words: ["command-line-program", way, directory["fifo"]]).run()
    #expect(directory.names().isEmpty)
  }

  @Test("has a name and arguments")
  func hasWords() {
    #expect(!CommandLineProgram.name.isEmpty && !CommandLineProgram.name.contains("/"))
    #expect(CommandLineProgram.arguments == Array(CommandLine.arguments.dropFirst()))
  }
}
