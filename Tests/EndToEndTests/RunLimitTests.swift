import Glibc
import Testing
@_spi(Begat) import UnixCore

/// The limits of `begat run`: they end all that it has started, and leave others alone.
@Suite(.timeLimit(.minutes(30)))
struct RunLimitTests {
  private func run(_ words: String...) throws -> RunningProgram {
    try RunningProgram.run(try Programs.begat(), ["run"] + words, within: .seconds(60))
  }

  /// A shell's `exec > >(logger)` has started the logger before it becomes begat.
  @Test func aProcessThatItDidNotStartIsLeftAlone() throws {
    let script = """
      sleep 600 & echo $!; exec "$0" run --timeout 3s -- sh -c 'sleep 500 & echo $!; sleep 600'
      """
    let program = try RunningProgram.run(
      try Programs.tool("bash"), ["-c", script, try Programs.begat()], within: .seconds(30))
    #expect(program.status == .exited(code: 124), "\(program.errors.text)")
    let numbers = program.output.lines.compactMap { pid_t($0) }
    try #require(numbers.count == 2)
    #expect(try Liveness(of: numbers[0]) == .alive)
    #expect(eventually { (try? Liveness(of: numbers[1])) == .gone })
    try Signal.kill.send(to: numbers[0])
  }

  /// The status and the signals are as without such a process.
  @Test func besideAnothersChildItIsTheSame() throws {
    func bash(_ script: String) throws -> RunningProgram {
      try RunningProgram(
        try Programs.tool("bash"),
        ["-c", "sleep 600 > /dev/null & echo $!; exec \"$0\" run --timeout 60s \(script)", try Programs.begat()])
    }
    for (script, status) in [("sh -c 'exit 7'", .exited(code: 7)), ("no-such-command", .exited(code: 127))]
      as [(String, ExitStatus)]
    {
      let program = try bash(script)
      #expect(try program.awaitEnd(within: .seconds(30)) == status)
      try Signal.kill.send(to: try #require(pid_t(program.output.lines[0])))
    }
    let killed = try bash("sh -c 'echo in; kill -USR1 $$; sleep 60'")
    #expect(try killed.awaitEnd(within: .seconds(30)) == .killed(by: .user1, dumpedCore: false))
    try Signal.kill.send(to: try #require(pid_t(killed.output.lines[0])))
    let heard = try bash("sh -c 'trap \"echo heard; exit 3\" USR1; echo in; while :; do sleep 0.01; done'")
    try heard.output.awaitLines(containing: "in")
    try heard.send(.user1)
    #expect(try heard.awaitEnd(within: .seconds(30)) == .exited(code: 3))
    try Signal.kill.send(to: try #require(pid_t(heard.output.lines[0])))
  }

  /// A chain of processes, each of which forks and ends, has its standard output open for as long as it lives.
  @Test func aChainOfForksIsEnded() throws {
    let directory = try TemporaryDirectory()
    let source = """
      #include <signal.h>
      #include <time.h>
      #include <unistd.h>
      int main(void) {
        signal(SIGTERM, SIG_IGN);
        for (time_t end = time(0) + 60; time(0) < end; setsid()) if (fork()) _exit(0);
      }
      """
    let hop = directory.path("hop")
    _ = try RunningProgram.tool("gcc", ["-O", "-o", hop, try directory.write(source, to: "hop.c")])
    let ended = try run("--timeout", "3s", "--kill-after", "1s", "sh", "-c", "'\(hop)' & sleep 600")
    #expect(ended.status == .exited(code: 124), "\(ended.errors.text)")
    #expect(ended.errors.lines.count == 1, "\(ended.errors.text)")
    #expect(ended.output.awaitEnd(within: .seconds(5)), "the chain goes on")
  }

  /// The numbers of a chain come again, where a machine has few of them or the chain is long.
  @Test(.enabled(if: Machine.isRoot, "needs root: process numbers of its own"))
  func aChainWhoseNumbersComeAgainIsEnded() throws {
    let directory = try TemporaryDirectory()
    let source = """
      #include <fcntl.h>
      #include <signal.h>
      #include <time.h>
      #include <unistd.h>
      int main(void) {
        int next = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
        signal(SIGTERM, SIG_IGN);
        for (time_t end = time(0) + 60; time(0) < end; setsid()) {
          pwrite(next, "1000", 4, 0);
          if (fork()) _exit(0);
        }
      }
      """
    let hop = directory.path("hop")
    _ = try RunningProgram.tool("gcc", ["-O", "-o", hop, try directory.write(source, to: "hop.c")])
    let ended = try RunningProgram.run(
      try Programs.tool("unshare"),
      [
        "--pid", "--fork", "--kill-child", "--mount-proc", try Programs.begat(), "run", "--timeout", "3s",
        "--kill-after",
        "500ms", "sh", "-c", "'\(hop)' & sleep 600",
      ], within: .seconds(60))
    #expect(ended.status == .exited(code: 124), "\(ended.errors.text)")
    #expect(ended.errors.lines.count == 1, "\(ended.errors.text)")
  }

  @Test func theSignalAndTheGracePeriodAreTheUsers() throws {
    let deaf =
      "$| = 1; $SIG{TERM} = sub { syswrite STDOUT, qq(TERM\\n) }; $SIG{INT} = sub { syswrite STDOUT, qq(INT\\n) };"
    let stay = deaf + "select undef, undef, undef, 1 while 1"
    let watch = Stopwatch()
    let killed = try run(
      "--timeout", "4s", "--signal", "INT", "-k", "1s", "--", "env", "PERL_SIGNALS=unsafe", "perl", "-e", stay)
    #expect(killed.status == .exited(code: 137) && killed.output.text == "INT\n", "\(killed.errors.text)")
    #expect(watch.elapsed >= .seconds(5))
    #expect(try run("--timeout", "300ms", "-s", "KILL", "sleep", "600").status == .exited(code: 137))
    #expect(try run("--timeout", "300ms", "sleep", "600").status == .exited(code: 124))
    #expect(try run("--max-output", "3", "-s", "HUP", "yes").status == .exited(code: 124))
  }

  /// To timeout(1) too, SIGALRM says that the time is up.
  @Test func anAlarmEndsTheTime() throws {
    let program = try startBegat("run", "--timeout", "60s", "sh", "-c", "echo in; exec sleep 600")
    try program.output.awaitLines(containing: "in")
    try program.send(.alarm)
    #expect(try program.awaitEnd(within: .seconds(20)) == .exited(code: 124))
    #expect(program.output.awaitEnd(within: .seconds(5)))
  }

  /// Also that of a timer which the caller had set, where a copy of begat watches.
  @Test(.enabled(if: Machine.isRoot, "needs root: processes of its own")) func anInheritedTimerEndsTheTime() throws {
    let script = """
      import os, signal, subprocess, sys
      subprocess.Popen(["sleep", "600"])
      signal.setitimer(signal.ITIMER_REAL, 1)
      os.execv(sys.argv[1], [sys.argv[1], "run", "--timeout", "60s", "sleep", "600"])
      """
    let program = try RunningProgram.run(
      try Programs.tool("unshare"),
      ["--pid", "--fork", "--kill-child", "--mount-proc", "python3", "-c", script, try Programs.begat()],
      within: .seconds(30))
    #expect(program.status == .exited(code: 124), "\(program.errors.text)")
  }

  /// Signals that end begat end the command too, also the one that begat cannot take.
  @Test(arguments: [Signal.kill, .alarm, .ioReady, Signal.realTime(3)])
  func noSignalLeavesTheCommandBehind(signal: Signal?) throws {
    let signal = try #require(signal)
    let program = try startBegat("run", "sh", "-c", "echo in; exec sleep 600", "|", "cat")
    try program.output.awaitLines(containing: "in")
    try program.send(signal)
    _ = try program.awaitEnd(within: .seconds(20))
    #expect(program.output.awaitEnd(within: .seconds(5)), "\(signal)")
  }

  @Test func aSessionOfItsOwnHasNoTerminal() throws {
    let look = "[ $(ps -o sid= -p $$) -eq $$ ] && echo leads; (: < /dev/tty) 2> /dev/null || echo none; exit 5"
    let own = try run("--new-session", "sh", "-c", look)
    #expect(own.status == .exited(code: 5) && own.output.text == "leads\nnone\n", "\(own.errors.text)")
  }

  /// Another user's command could type into the terminal (TIOCSTI).
  @Test(
    .enabled(if: Machine.isRoot, "needs root"),
    arguments: [("--user nobody", "none"), ("--user nobody --no-new-session", "tty"), ("", "tty")])
  func anotherUserGetsNoTerminalOfTheCallers(options: String, found: String) throws {
    let directory = try TemporaryDirectory()
    try #require(chmod(directory.path, 0o755) == 0)
    let words = "run \(options) -- sh -c '(: < /dev/tty) 2> /dev/null && echo tty || echo none'"
    let shown = try RunningProgram.run(
      try Programs.begat(),
      ["interact", "--no-input", "sh", "-c", "cd /; exec '\(try Programs.begat())' \(words)"], within: .seconds(30))
    // The terminal's file is the caller's; what counts is whether it is the command's own.
    #expect(shown.output.text == "\(found)\r\n", "\(shown.errors.text)")
  }
}
