import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The filters of units that need no privileges refuse capset(2), among others.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Machine.isRoot, "needs root to become another user"))
struct UnitFilterTests {
  /// An ordinary user under such a filter, with these ambient capabilities.
  private static func wrapper(_ capabilities: String = "-all") throws -> [String] {
    let filter = try TestPrograms.kernel(without: ["capset", "setgroups", "setresuid", "chroot"], error: EPERM)
    return [
      try Programs.tool("setpriv"), "--reuid=61234", "--regid=61234", "--clear-groups", "--no-new-privs",
      "--inh-caps=\(capabilities)", "--ambient-caps=\(capabilities)", "--bounding-set=\(capabilities)",
    ] + filter
  }

  @Test("a listener without capabilities serves")
  func listener() throws {
    let words = try Self.wrapper() + [try Programs.listener(), "--serve", "time", "--listen-stream", "127.0.0.1:0"]
    let program = try RunningProgram(words[0], Array(words.dropFirst()))
    let line = try program.errors.awaitLines(containing: "ready on ")[0]
    #expect(try ask(String(line.split(separator: " ").last ?? "")).count == 4)
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0))
  }

  @Test("begatd with nothing but low ports serves, and leaves none to listeners and programs")
  func daemon() throws {
    let network = try NetworkNamespace()
    try network.enter {
      let directory = try TemporaryDirectory()
      chown(directory.path, 61234, 61234)
      let low = """
        [service.low]
        exec = ["/bin/cat", "/proc/self/status"]
        listen-stream = ["127.0.0.1:79"]

        """
      let daemon = try Daemon(
        SampleConfiguration.service("echo") + low, in: directory, wrapper: try Self.wrapper("-all,+net_bind_service"))
      defer { daemon.kill() }
      #expect(ProcessFacts.statusLine("CapEff", of: daemon.process) == "0000000000000400")
      #expect(ProcessFacts.statusLine("CapEff", of: try daemon.listener("echo")) == "0000000000000000")
      let lines = String(decoding: try ask("127.0.0.1:79"), as: UTF8.self).split(separator: "\n")
      for set in ["CapPrm", "CapEff", "CapAmb"] { #expect(lines.contains("\(set):\t0000000000000000"), "\(lines)") }
      #expect(try ask(daemon.address("echo"), "x") == [120])
    }
  }
}
