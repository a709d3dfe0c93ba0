import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat run`: perlipc's safe pipe opens.
@Suite(.timeLimit(.minutes(30)))
struct RunCommandTests {
  /// Without anything to watch the process becomes the command; with a limit it stands between.
  static let ways = [[], ["--timeout", "60s"], ["--max-output", "1G"], ["--timeout", "60s", "--max-output", "1G"]]

  private func run(_ options: [String], _ words: [String], input: RunningProgram.Input = .nothing) throws
    -> RunningProgram
  {
    try RunningProgram.run(
      try Programs.begat(), ["run"] + options + ["--"] + words, input: input, within: .seconds(60))
  }

  /// What a shell shows of the status.
  private func shellStatus(_ words: String) throws -> String {
    try RunningProgram.run(try Programs.tool("sh"), ["-c", "\(words); echo $?", try Programs.begat()]).output.text
  }

  @Test(arguments: ways)
  func argumentsArriveAsTheyAre(options: [String]) throws {
    let hostile = ["a;b", "$(id)", "x\ny", "`id`", "*", "", "a b", "||", "&&", "> /dev/null", "--json", "é"]
    let shown = try run(
      options, ["perl", "-e", "print map { qq([$_]) } @ARGV, <STDIN>", "--"] + hostile, input: .text("in"))
    #expect(shown.output.text == (hostile + ["in"]).map { "[\($0)]" }.joined(), "\(shown.errors.text)")
  }

  @Test(arguments: ways)
  func theStatusIsTheCommands(options: [String]) throws {
    for code: CInt in [0, 1, 7, 255] {
      #expect(try run(options, ["sh", "-c", "exit \(code)"]).status == .exited(code: code))
    }
    for signal in [Signal.terminate, .kill, .interrupt, .user1, .segmentationFault] {
      let ended = try run(options, ["sh", "-c", "ulimit -c 0; kill -\(signal.rawValue) $$"])
      #expect(ended.status == .killed(by: signal, dumpedCore: false))
    }
    let words = options.joined(separator: " ")
    #expect(try shellStatus("\"$0\" run \(words) -- sh -c 'kill -TERM $$'") == "143\n")
    let missing = try run(options, ["no-such-command"])
    #expect(missing.status == .exited(code: 127))
    #expect(missing.errors.text == "begat run: execve no-such-command: No such file or directory\n")
    for file in ["/etc/passwd", "/"] { #expect(try run(options, [file]).status == .exited(code: 126)) }
  }

  @Test func everyStageIsTold() throws {
    let first = try run([], ["sh", "-c", "echo hi; exit 3", "|", "cat", "-n"])
    #expect(first.status == .exited(code: 3) && first.output.text == "     1\thi\n")
    #expect(first.errors.text == "begat run: 1 of 2, sh -c echo hi; exit 3: exit 3\n")
    let two = try run([], ["false", "|", "cat", "|", "sh", "-c", "cat; exit 4", "|", "cat"])
    #expect(two.status == .exited(code: 4))
    #expect(two.errors.lines == ["begat run: 1 of 4, false: exit 1", "begat run: 3 of 4, sh -c cat; exit 4: exit 4"])
    let good = try run([], ["printf", "a\\033b", "|", "cat", "-v"])
    #expect(good.status == .exited(code: 0) && good.output.text == "a^[b" && good.errors.text == "")
    let missing = try run([], ["cat", "|", "no-such-command"], input: .pipe)
    #expect(missing.status == .exited(code: 127) && missing.errors.lines.count == 1)
    let other = try run(["--separator", ":"], ["echo", "|", ":", "cat"])
    #expect(other.output.text == "|\n")
    let killed = try run([], ["sh", "-c", "kill -KILL $$", "|", "cat"])
    #expect(killed.status == .killed(by: .kill, dumpedCore: false) && killed.errors.text.contains("killed by SIGKILL"))
    // Its reader has had enough.
    let left = try run([], ["yes", "|", "head", "-n", "1"])
    #expect(left.status == .exited(code: 0) && left.output.text == "y\n" && left.errors.text == "")
    // As a shell with pipefail has it.
    let strict = try run(["--pipefail"], ["yes", "|", "head", "-n", "1"])
    #expect(strict.status == .killed(by: .brokenPipe, dumpedCore: false) && strict.output.text == "y\n")
    #expect(strict.errors.text == "begat run: 1 of 2, yes: killed by SIGPIPE\n")
  }

  /// A grandchild in the group, one in a session of its own that has lost its parent, one that does not hear SIGTERM.
  @Test func theTimeLimitEndsAllThatWasStarted() throws {
    let directory = try TemporaryDirectory()
    let script = """
      echo $$ > \(directory.path)/1; sleep 1000 & echo $! > \(directory.path)/2
      sh -c 'setsid sh -c "echo \\$\\$ > \(directory.path)/3; sleep 1000; :" &'
      sh -c 'trap "" TERM; echo $$ > \(directory.path)/4; sleep 1000; sleep 1000' & 
      while [ ! -s \(directory.path)/4 ] || [ ! -s \(directory.path)/3 ]; do :; done; echo ready; wait
      """
    let watch = Stopwatch()
    let late = try run(["--timeout", "2s"], ["sh", "-c", script])
    #expect(late.status == .exited(code: 124) && late.output.text == "ready\n")
    #expect(late.errors.lines.count == 1 && late.errors.text.hasSuffix(": still running after 2s; ended\n"))
    #expect(watch.elapsed >= .seconds(2))
    for name in ["1", "2", "3", "4"] {
      let number = try RunningProgram.tool("cat", [directory.path(name)]).output.text.trimmed
      let process = try #require(pid_t(number))
      #expect(eventually { ProcessFacts(process).map(\.isZombie) ?? true }, "\(name) lives on")
    }
    // A stopped one.
    #expect(try run(["--timeout", "200ms"], ["sh", "-c", "kill -STOP $$"]).status == .exited(code: 124))
  }

  /// The kernel shows it as a zombie, and it goes on.
  @Test func aLimitEndsAProcessWhoseFirstThreadHasEnded() throws {
    let directory = try TemporaryDirectory()
    let script = """
      import ctypes, os, threading
      def go_on():
          while "zombie" not in open("/proc/self/status").read(): pass
          open("\(directory.path("number"))", "w").write(str(os.getpid()))
          os.write(1, b"ab")
          threading.Event().wait()
      threading.Thread(target=go_on).start()
      ctypes.CDLL(None).pthread_exit(None)
      """
    let ended = try run(["--max-output", "1"], ["sh", "-c", "python3 -c \"$0\" & sleep 60; :", script])
    #expect(ended.status == .exited(code: 124) && ended.output.text == "a", "\(ended.errors.text)")
    let number = try RunningProgram.tool("cat", [directory.path("number")]).output.text
    let process = try #require(pid_t(number))
    #expect(eventually { (try? Liveness(of: process)) == .gone })
    if try Liveness(of: process) != .gone { try Signal.kill.send(to: process) }
  }

  @Test func anUnreadPipeDoesNotKeepTheTimeFromPassing() throws {
    let program = try RunningProgram(
      try Programs.tool("python3"),
      [
        "-c",
        """
        import subprocess, sys
        p = subprocess.Popen([sys.argv[1], "run", "--timeout", "300ms", "--max-output", "1G", "--", "yes"], stdout=subprocess.PIPE)
        print(p.wait(20), flush=True)
        """, try Programs.begat(),
      ])
    #expect(try program.awaitEnd(within: .seconds(20)) == .exited(code: 0) && program.output.text == "124\n")
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 65_536, 131_072, 1_000_001])
  func outputIsCutToTheByte(size: Int) throws {
    let cut = try run(["--max-output", "\(size)"], ["yes"])
    #expect(cut.status == .exited(code: 124) && cut.output.bytes.count == size)
    #expect(cut.output.bytes == (0..<size).map { $0 % 2 == 0 ? UInt8(ascii: "y") : 10 })
    #expect(cut.errors.text == "begat run: yes: more than \(size) bytes of output; ended\n")
    let exact = try run(["--max-output", "\(size)"], ["head", "-c", "\(size)", "/dev/zero"])
    #expect(exact.status == .exited(code: 0) && exact.output.bytes.count == size && exact.errors.text == "")
  }

  @Test(arguments: ways + [["|"]])
  func bytesAreNotTouched(options: [String]) throws {
    let directory = try TemporaryDirectory()
    let file = directory.path("bytes")
    _ = try RunningProgram.tool("sh", ["-c", "head -c 67108864 /dev/urandom > \"$0\"", file])
    let isPiped = options == ["|"]
    let words = ["run"] + (isPiped ? [] : options) + ["--", "cat", file] + (isPiped ? ["|", "cat"] : [])
    let watch = Stopwatch()
    let sum = try RunningProgram.tool("sh", ["-c", "\"$@\" | cksum", "sh", try Programs.begat()] + words)
    print("64 MiB, \(options): \(watch.elapsed)")
    #expect(try sum.output.text == RunningProgram.tool("sh", ["-c", "cksum < \"$0\"", file]).output.text)
  }

  @Test(arguments: ways + [["|"]])
  func aReaderThatLeavesEndsItQuietly(options: [String]) throws {
    let isPiped = options == ["|"]
    let words = ["run"] + (isPiped ? [] : options) + ["--", "yes"] + (isPiped ? ["|", "cat"] : [])
    let stages = try Pipeline(
      Program(
        path: try Programs.begat(), arguments: words, environment: .init(entries: RunningProgram.environment)),
      Program(path: "/usr/bin/head", arguments: ["-n", "1"])
    ).run(output: .null)
    #expect(stages == [.killed(by: .brokenPipe, dumpedCore: false), .exited(code: 0)])
  }

  @Test func anOutputThatIsFullIsAFailure() throws {
    let full = try shellStatus("\"$0\" run --max-output 1M -- yes > /dev/full")
    #expect(full == "125\n")
    #expect(try shellStatus("\"$0\" run --max-output 1M -- echo word >&-") == "125\n")
  }

  @Test(arguments: ways)
  func signalsReachTheCommand(options: [String]) throws {
    for signal in [Signal.terminate, .interrupt, .hangUp, .quit, .user1, .user2] {
      let handler =
        """
        use POSIX; $| = 1; $SIG{\(signal.name)} = sub { syswrite STDOUT, qq(got it\\n); POSIX::_exit 3 };
        print qq(in\\n); sleep 60 for 1..3
        """
      let heard = try RunningProgram(
        try Programs.begat(), ["run"] + options + ["--"] + signalledPerl + ["-e", handler])
      try heard.output.awaitLines(containing: "in")
      try heard.send(signal)
      #expect(try heard.awaitEnd() == .exited(code: 3) && heard.output.text == "in\ngot it\n", "\(signal)")
      let plain = try RunningProgram(
        try Programs.begat(), ["run"] + options + ["--", "perl", "-e", "$| = 1; print qq(in\\n); sleep 60"])
      try plain.output.awaitLines(containing: "in")
      try plain.send(signal)
      guard case .killed(signal, _) = try plain.awaitEnd() else {
        Issue.record("\(signal): \(String(describing: plain.status))")
        continue
      }
    }
  }

  @Test func whatStaysInTheBackgroundIsWaitedForUntilItIsAskedNotToBe() throws {
    let script = "$| = 1; if (!fork) { sleep 60 for 1..3; exit } print qq(is $$\\n)"
    let program = try startBegat("run", "--max-output", "1M", "--", "perl", "-e", script)
    let first = try #require(pid_t(try program.output.awaitLines(containing: "is ")[0].dropFirst(3)))
    #expect(eventually { ProcessFacts(first) == nil }, "its status is not fetched")
    #expect(!program.hasEnded)
    let left = ProcessFacts.children(of: program.process)
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0))
    for one in left { try? Signal.kill.send(to: one.process) }
    #expect(left.count == 1)
  }

  /// Keys of a terminal reach the command once, it may read there, and Ctrl-Z stops it and begat together.
  @Test(arguments: ways)
  func theTerminalIsTheCommands(options: [String]) throws {
    // Whatever begat passes on of the key has come when it has passed on the signal that follows.
    let next = options.isEmpty ? "$$" : "getppid"
    let script = """
      $| = 1; my $n = 0; my $line; $SIG{INT} = sub { $n++; kill USR1 => \(next) if $n == 1 };
      $SIG{USR1} = sub { syswrite STDOUT, qq(passed\\n) }; $SIG{CONT} = sub { syswrite STDOUT, qq(continued\\n) };
      print qq(ready\\n); $line = <STDIN>; print qq(again\\n);
      until (defined($line = <STDIN>)) {} print qq(interrupts $n\\n); exit 5
      """
    var conversation = try TerminalConversation(
      Program(
        path: try Programs.tool("bash"),
        arguments: ["--norc", "--noprofile", "-i"],
        environment: .init(entries: RunningProgram.environment + ["PS1=prompt> ", "TERM=dumb"])))
    let deadline = UnixCore.Deadline(after: .seconds(30))
    func awaitText(_ text: String) throws { _ = try conversation.expect(.literal(text), until: deadline) }
    try awaitText("prompt> ")
    let words = ([try Programs.begat(), "run"] + options + ["--"] + signalledPerl + ["-e"]).joined(separator: " ")
    try conversation.send("\(words) '\(script.split(separator: "\n").joined(separator: " "))'\n", until: deadline)
    try awaitText("ready\r\n")
    try conversation.send("one\n", until: deadline)
    try awaitText("again\r\n")
    try conversation.send("\u{1a}", until: deadline)
    try awaitText("Stopped")
    try awaitText("prompt> ")
    // One that has not stopped yet, as the shell does not know, may read what is meant for the shell.
    let shell = conversation.process
    #expect(eventually { ProcessFacts.descendants(of: shell).allSatisfy(\.isStopped) })
    try conversation.send("fg\n", until: deadline)
    try awaitText("continued\r\n")
    try conversation.send("\u{03}", until: deadline)
    try awaitText("passed\r\n")
    try conversation.send("two\n", until: deadline)
    try awaitText("interrupts 1\r\n")
    try awaitText("prompt> ")
    try conversation.send("echo status $?\n", until: deadline)
    try awaitText("status 5\r\n")
    try conversation.send("exit\n", until: deadline)
    _ = try conversation.waitForExit(until: deadline)
  }

  @Test func manyRunsLeaveNobody() throws {
    let script = """
      use POSIX; my ($begat) = @ARGV; require "syscall.ph" if 0;
      syscall(157, 36, 1, 0, 0, 0) == 0 or die "prctl: $!";
      my @ways = ([], [qw(--timeout 9s)], [qw(--max-output 9)]);
      for my $turn (1 .. 500) {
        my @words = $turn % 2 ? qw(true) : ("true", "|", "cat");
        system($begat, "run", @{$ways[$turn % 3]}, "--", @words) == 0 or die "turn $turn: $?";
      }
      # Whatever they had left would be this process's child.
      print waitpid(-1, WNOHANG) == -1 ? "nobody\\n" : "somebody\\n";
      """
    let watch = Stopwatch()
    let runs = try RunningProgram.run(
      try Programs.tool("perl"), ["-e", script, try Programs.begat()], within: .seconds(200))
    print("500 runs: \(watch.elapsed)")
    #expect(runs.output.text == "nobody\n", "\(runs.errors.text)")
  }

  @Test(.enabled(if: Machine.isRoot, "needs root"), arguments: ways)
  func rootIsGivenUpForGood(options: [String]) throws {
    let script = """
      import ctypes, os, re
      libc = ctypes.CDLL(None, use_errno=True)
      print(os.getresuid() == (65534,) * 3, os.getresgid() == (65534,) * 3, os.getgroups())
      status = open("/proc/self/status").read()
      print(re.findall(r"^(?:Uid|Gid):.*", status, re.M), re.findall(r"^Cap(?:Prm|Eff|Amb|Inh):\\s*0*$", status, re.M).__len__())
      tries = [lambda: os.setuid(0), lambda: os.seteuid(0), lambda: os.setresuid(-1, 0, -1), lambda: os.setreuid(0, 0),
        lambda: os.setgid(0), lambda: os.setegid(0), lambda: os.setresgid(-1, 0, -1), lambda: os.setregid(0, 0),
        lambda: os.setgroups([0]), lambda: os.initgroups("root", 0), lambda: os.chroot("/"),
        lambda: open("/etc/shadow"), lambda: os.kill(1, 15)]
      regained = 0
      for attempt in tries:
          try: attempt(); regained += 1
          except PermissionError: pass
      print("regained", regained, "of", len(tries), os.geteuid(), os.getegid())
      """
    let python = try run(options + ["--user", "nobody"], ["python3", "-c", script])
    #expect(
      python.output.lines == [
        "True True [65534]",
        "['Uid:\\t65534\\t65534\\t65534\\t65534', 'Gid:\\t65534\\t65534\\t65534\\t65534'] 4",
        "regained 0 of 13 65534 65534",
      ], "\(python.errors.text)")
    // The very assignments of perlipc, backwards.
    let perl = "($<, $>) = (0, 0); ($(, $)) = (0, 0); $> = 0; $< = 0; $) = '0 0'; print qq($< $> ), $( + 0, ' ', $) + 0"
    #expect(try run(options + ["--user", "65534"], ["perl", "-e", perl]).output.text == "65534 65534 65534 65534")
    let id = try RunningProgram.tool("id", ["nobody"]).output.text
    #expect(try run(options + ["--user", "nobody"], ["id"]).output.text == id)
  }

  @Test("takes capabilities along to no other user", .enabled(if: Machine.isRoot, "needs root"), arguments: ways)
  func capabilitiesStayBehind(options: [String]) throws {
    let capabilities = "setuid,+setgid,+net_bind_service"
    let root = [try Programs.tool("setpriv"), "--inh-caps=+\(capabilities)"]
    let ordinary = root + ["--reuid=61234", "--regid=61234", "--clear-groups", "--ambient-caps=+\(capabilities)"]
    let command = [try Programs.begat(), "run"] + options + ["--user", "nobody", "--", "cat", "/proc/self/status"]
    for caller in [root, ordinary] {
      let words = caller + command
      let status = try RunningProgram.run(words[0], Array(words.dropFirst()))
      #expect(status.output.lines.contains("Uid:\t65534\t65534\t65534\t65534"), "\(status.errors.text)")
      for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        #expect(status.output.lines.contains("\(set):\t0000000000000000"), "\(set), \(caller)")
      }
    }
  }

  @Test(.enabled(if: Machine.isRoot, "needs root"), arguments: ways)
  func anotherUserGetsAnEnvironmentOfItsOwn(options: [String]) throws {
    let entry = try RunningProgram.tool("getent", ["passwd", "nobody"]).output.text.trimmed.split(
      separator: ":", omittingEmptySubsequences: false)
    let expected = Set([
      "HOME=\(entry[5])", "USER=nobody", "LOGNAME=nobody", "SHELL=\(entry[6])", "PATH=/usr/local/bin:/usr/bin:/bin",
      "TERM=vt100",
    ])
    let variables = ["TERM=vt100", "SECRET=1", "LD_PRELOAD=", "IFS=x"]
    let other = try RunningProgram.run(
      try Programs.begat(), ["run", "--user", "nobody"] + options + ["--", "env"], environment: variables)
    #expect(Set(other.output.lines) == expected, "\(other.errors.text)")
    let own = try RunningProgram.run(
      try Programs.begat(), ["run", "--clean-environment"] + options + ["--", "env"], environment: variables)
    #expect(own.output.lines.count == 6 && own.output.lines.contains("USER=root"))
    // No descriptor but the standard ones.
    let open = try RunningProgram.tool(
      "sh",
      ["-c", "exec 7</etc/shadow; exec \"$@\"", "sh", try Programs.begat(), "run", "--user", "nobody"] + options
        + ["--", "sh", "-c", "ls /proc/$$/fd"])
    #expect(open.output.lines.count == 3, "\(open.output.text)")
  }

  @Test(.enabled(if: Machine.isRoot, "needs root"), arguments: ways)
  func theUserMustBeAllowedToBeThere(options: [String]) throws {
    let directory = try TemporaryDirectory()
    try #require(chmod(directory.path, 0o700) == 0)
    let words = ["-c", "cd \"$1\"; shift; exec \"$@\"", "sh", directory.path, try Programs.begat(), "run"] + options
    let refused = try RunningProgram.run(try Programs.tool("sh"), words + ["--user", "nobody", "--", "pwd"])
    #expect(refused.status == .exited(code: 125) && refused.output.text == "")
    #expect(
      refused.errors.lines.count == 1 && refused.errors.text.contains("chdir \(directory.path): Permission denied"))
    let named = try RunningProgram.run(
      try Programs.tool("sh"), words + ["--user", "nobody", "--directory", "/usr", "--", "pwd"])
    #expect(named.output.text == "/usr\n")
    let asNobody = try run(options + ["--user", "nobody", "--directory", "/root"], ["pwd"])
    #expect(asNobody.status == .exited(code: 125), "\(asNobody.output.text)")
    #expect(try run(options + ["--directory", "/nowhere"], ["pwd"]).status == .exited(code: 125))
    #expect(try run(options + ["--user", "no-such-user"], ["pwd"]).status == .exited(code: 125))
  }

  @Test func onlyRootRunsCommandsAsOthers() throws {
    let command = try Machine.unprivileged() + [try Programs.begat(), "run", "--user", "root", "--", "id"]
    let refused = try RunningProgram.run(command[0], Array(command.dropFirst()))
    #expect(refused.status == .exited(code: 125) && refused.output.text == "")
    #expect(refused.errors.text.contains("needs root, or CAP_SETUID and CAP_SETGID"))
  }

  @Test(arguments: [
    [], ["--"], ["--bogus", "true"], ["--timeout", "--", "true"], ["--kill-after", "1s", "true"], ["--", "true", "|"],
    ["--", "|", "true"], ["--", "a", "|", "|", "b"],
    ["--timeout", "0", "--", "true"], ["--timeout", "soon", "--", "true"], ["--max-output", "x", "--", "true"],
    ["--max-output", "-1", "--", "true"], ["--max-output", "99999999999G", "--", "true"], ["--user"],
  ])
  func wrongCommandLinesAreUsage(arguments: [String]) throws {
    let wrong = try RunningProgram.run(try Programs.begat(), ["run"] + arguments)
    #expect(wrong.status == .exited(code: 64) && wrong.errors.text != "")
  }
}
