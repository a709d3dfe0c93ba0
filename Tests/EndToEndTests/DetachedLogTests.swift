import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The place of messages when begatd leaves its terminal with `log-target = "stderr"`: no message is lost silently.
@Suite(.timeLimit(.minutes(30)))
struct DetachedLogTests {
  /// A begatd that has left its starter.
  private final class Detached {
    let starter: RunningProgram
    let socket: String
    let runtime: String
    private let file: String

    /// - Parameter redirection: what the starter does with standard error.
    /// - Parameter wrapper: a command that executes the command line given to it.
    init(
      target: String, in directory: TemporaryDirectory, redirection: String = "", wrapper: [String] = []
    ) throws {
      socket = directory.path("echo.sock")
      runtime = directory.path("run")
      file = try directory.write(
        "[daemon]\nlog-target = \"\(target)\"\n[service.echo]\nserve = \"echo\"\nlisten-stream = [\"\(socket)\"]\n",
        to: "begatd.toml")
      let command =
        wrapper + ["/bin/sh", "-c", redirection, try Programs.begatd(), "--daemon", "--config", file]
      starter = try RunningProgram.run(
        command[0], Array(command.dropFirst()),
        environment: ["RUNTIME_DIRECTORY=\(runtime)"])
    }

    var process: ProcessFacts? {
      ProcessFacts.all.first { $0.title.hasSuffix("--daemon --config \(file)") && !$0.title.contains("/bin/sh") }
    }

    func stop() throws {
      let daemon = try #require(process)
      let family = [daemon] + ProcessFacts.descendants(of: daemon.process)
      defer { for facts in family where facts.isThere { try? Signal.kill.send(to: facts.process) } }
      try Signal.terminate.send(to: daemon.process)
      #expect(eventually(within: .seconds(10)) { !family.contains(where: \.isThere) })
    }
  }

  /// How a starter gives standard error away, and the word for what that is.
  private static let streams = [
    ("exec \"$0\" \"$@\"", "a pipe"), ("exec \"$0\" \"$@\" 2>/dev/null", "closed or /dev/null"),
    ("exec \"$0\" \"$@\" 2>&-", "closed or /dev/null"),
    ("exec script -qec \"$0 $*\" /dev/null", "a terminal"),
  ]

  @Test(.enabled(if: Machine.isRoot, "only root can mount"), arguments: streams)
  func theyGoToSyslogInstead(redirection: String, kind: String) throws {
    let directory = try TemporaryDirectory()
    let log = try LogDaemons(in: directory)
    let daemon = try Detached(target: "stderr", in: directory, redirection: redirection, wrapper: try log.wrapper())
    #expect(daemon.starter.status == .exited(code: 0), "\(daemon.starter.errors.text)")
    let text = "log: standard error is \(kind), which is let go of with the terminal; messages go to syslog"
    try log.await("]: \(text)")
    // The starter is told too, where it can be.
    let told = daemon.starter.errors.text + daemon.starter.output.text
    #expect(told.contains("begatd: \(text)") == !kind.contains("null"), "\(told)")
    #expect(try ask(daemon.socket, "served") == Array("served".utf8))
    try log.await("sent 6 bytes, complete")
    try daemon.stop()
    try log.await("stopped")
  }

  @Test(.enabled(if: Machine.isRoot, "only root can mount"), arguments: streams)
  func theStartFailsWithoutAnotherPlace(redirection: String, kind: String) throws {
    let directory = try TemporaryDirectory()
    let log = try LogDaemons(in: directory, hasSyslog: false)
    let daemon = try Detached(target: "stderr", in: directory, redirection: redirection, wrapper: try log.wrapper())
    #expect(daemon.starter.status == .exited(code: 1), "\(daemon.starter.errors.text)")
    let told = daemon.starter.errors.text + daemon.starter.output.text
    #expect(
      told.contains("begatd: log-target \"stderr\": standard error is \(kind), which is let go of with the terminal")
        == !kind.contains("null"), "\(told)")
    // The process that was to become the daemon ends a moment after its starter.
    #expect(eventually { daemon.process == nil } && access(daemon.socket, F_OK) == -1)
  }

  /// A place that was not asked for is no reason not to serve.
  @Test(.enabled(if: Machine.isRoot, "only root can mount"))
  func whatIsLostWithTheUsualTargetIsCounted() throws {
    let directory = try TemporaryDirectory()
    let log = try LogDaemons(in: directory, hasSyslog: false)
    let daemon = try Detached(
      target: "auto", in: directory, redirection: "exec \"$0\" \"$@\"", wrapper: try log.wrapper())
    #expect(daemon.starter.status == .exited(code: 0), "\(daemon.starter.errors.text)")
    #expect(daemon.starter.errors.lines(containing: "and what follows is lost").count == 1)
    // No process keeps the starter's pipe.
    #expect(daemon.starter.errors.awaitEnd(within: .seconds(1)))
    #expect(try ask(daemon.socket, "served") == Array("served".utf8))
    let isCounted = try eventually {
      let answer = try json(
        try RunningProgram.run(
          try Programs.begat(), ["status", "--json"], environment: ["RUNTIME_DIRECTORY=\(daemon.runtime)"]),
        as: [String: Any].self)
      return (answer["begatd"] as? [String: Any])?["lost-log-messages"] as? Int ?? 0 >= 1
    }
    #expect(isCounted)
    try daemon.stop()
  }

  /// The process that writes the log file lets go of the starter's pipe too.
  @Test func aLogFileKeepsNoPipeOpen() throws {
    let directory = try TemporaryDirectory()
    let socket = directory.path("echo.sock")
    let log = directory.path("log")
    let file = try directory.write(
      """
      [daemon]
      log-target = "file"
      log-file = "\(log)"
      [service.echo]
      serve = "echo"
      listen-stream = ["\(socket)"]

      """, to: "begatd.toml")
    let starter = try RunningProgram.run(try Programs.begatd(), ["--daemon", "--config", file])
    #expect(starter.status == .exited(code: 0) && starter.errors.text == "", "\(starter.errors.text)")
    #expect(starter.errors.awaitEnd(within: .seconds(1)))
    let daemon = try #require(ProcessFacts.all.first { $0.title.hasSuffix("--daemon --config \(file)") })
    let family = [daemon] + ProcessFacts.descendants(of: daemon.process)
    defer { for facts in family where facts.isThere { try? Signal.kill.send(to: facts.process) } }
    #expect(try ask(socket, "served") == Array("served".utf8))
    func text() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
    #expect(eventually { text().contains("sent 6 bytes, complete") }, "\(text())")
    try Signal.terminate.send(to: daemon.process)
    #expect(eventually { !family.contains(where: \.isThere) })
  }
}
