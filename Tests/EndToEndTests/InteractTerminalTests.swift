import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat interact` on a user's terminal: another one, that the test is the user of.
@Suite(.timeLimit(.minutes(30)))
struct InteractTerminalTests {
  private var deadline: UnixCore.Deadline { UnixCore.Deadline(after: .seconds(15)) }

  private func startShell() throws -> TerminalConversation { try .shell(["TERM=dumb"], until: deadline) }

  @Test func keysReachTheProgram() throws {
    var shell = try startShell()
    let before = try shell.settings(until: deadline)
    // Signals are waited for: a handler of Python's might run only after the next key.
    let script = """
      import signal, sys, os
      def size(): print('size', os.get_terminal_size().columns, flush=True)
      signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH, signal.SIGINT]); size()
      signal.sigwait([signal.SIGWINCH]); size()
      signal.sigwait([signal.SIGINT]); print('interrupted', flush=True)
      print('got', input('name? ')); sys.exit(4)
      """
    try shell.sendLine("$BEGAT interact -- python3 -c \"\(script)\"", until: deadline)
    try shell.expect("size 80\r\n", until: deadline)
    try shell.resize(to: TerminalSize(columns: 61, rows: 17))
    try shell.expect("size 61\r\n", until: deadline)
    try shell.sendControl("c")
    try shell.expect("interrupted\r\nname? ", until: deadline)
    try shell.sendLine("ada", until: deadline)
    try shell.expect("got ada\r\n$ ", until: deadline)
    #expect(try shell.status(until: deadline) == "4")
    try shell.resize(to: .standard)
    #expect(try shell.settings(until: deadline) == before)
  }

  @Test func stepsComeFirst() throws {
    var shell = try startShell()
    try shell.sendLine(
      "$BEGAT interact --expect 'na''me? ' --send 'ada\\n' -- sh -c 'printf \"na\"\"me? \"; read a; echo ca\"\"lled $a; cat'",
      until: deadline)
    try shell.expect("called ada\r\n", until: deadline)
    try shell.sendLine("typed", until: deadline)
    try shell.expect("typed\r\ntyped\r\n", until: deadline)
    try shell.sendControl("d")
    try shell.expect("$ ", until: deadline)
    #expect(try shell.status(until: deadline) == "0")
  }

  /// - Parameter key: which is said to be the one, and pressed.
  @Test(arguments: [("", "]"), ("--escape ^A", "A")])
  func theEscapeKeyEndsIt(option: String, key: Character) throws {
    var shell = try startShell()
    let before = try shell.settings(until: deadline)
    try shell.sendLine("$BEGAT interact \(option) -- sh -c 'echo rea\"\"dy $$; exec cat'", until: deadline)
    let match = try shell.expect(.regex(#/ready (\d+)\r\n/#), until: deadline)
    try shell.sendControl(key)
    try shell.expect("$ ", until: deadline)
    #expect(try shell.status(until: deadline) == "143")
    #expect(ProcessFacts(pid_t(match.capture(1) ?? "") ?? 0) == nil)
    #expect(try shell.settings(until: deadline) == before)
  }

  @Test func withoutAnEscapeKeyItIsTheProgramsOwn() throws {
    var shell = try startShell()
    try shell.sendLine(
      "$BEGAT interact --escape none -- perl -e 'system \"stty raw\"; $| = 1; print \"rea\" . \"dy\"; print ord getc, \"!\"'",
      until: deadline)
    try shell.expect("ready", until: deadline)
    try shell.sendControl("]")
    try shell.expect("29!", until: deadline)
  }

  @Test(arguments: [("INT", "130"), ("TERM", "143"), ("HUP", "129"), ("KILL", "137"), ("USR1", "138")])
  func aSignalEndsTheWholeSession(signal: String, code: String) throws {
    var shell = try startShell()
    let before = try shell.settings(until: deadline)
    // The program's parent is begat; its jobs are in groups of their own, and ignore what they can.
    let script = "set -m; (trap \"\" HUP TERM INT; exec sleep 1000) & echo jo\"\"b $! $PPID; exec cat"
    try shell.sendLine("$BEGAT interact -- bash -c '\(script)'", until: deadline)
    let match = try shell.expect(.regex(#/job (\d+) (\d+)\r\n/#), until: deadline)
    let job = try #require(match.capture(1).flatMap { pid_t($0) })
    let begat = try #require(match.capture(2).flatMap { pid_t($0) })
    defer { kill(job, SIGKILL) }
    try #require(Signal(signal)).send(to: begat)
    try shell.expect("$ ", until: deadline)
    #expect(try shell.status(until: deadline) == code)
    // What is killed at once can neither put back nor end anything.
    if signal == "KILL" { return }
    #expect(try shell.settings(until: deadline) == before)
    if signal != "USR1" { #expect(eventually { ProcessFacts(job).map { $0.isZombie } ?? true }) }
  }

  @Test func stopsAndGoesOn() throws {
    var shell = try startShell()
    let before = try shell.settings(until: deadline)
    let script = "echo pa\"\"rent $PPID; read a; stty size; exec cat"
    try shell.sendLine("$BEGAT interact -- sh -c '\(script)'", until: deadline)
    let match = try shell.expect(.regex(#/parent (\d+)\r\n/#), until: deadline)
    let begat = try #require(match.capture(1).flatMap { pid_t($0) })
    try Signal.terminalStop.send(to: begat)
    try shell.expect("Stopped", until: deadline)
    try shell.expect("$ ", until: deadline)
    #expect(try shell.settings(until: deadline) == before)
    // Nobody tells it, in the background.
    try shell.resize(to: TerminalSize(columns: 70, rows: 20))
    try shell.sendLine("fg", until: deadline)
    try shell.expect("interact", until: deadline)
    #expect(try eventually { try !shell.settings().readsLines && !shell.settings().sendsSignals })
    try shell.sendLine("x", until: deadline)
    try shell.expect("20 70\r\n", until: deadline)
    try shell.sendControl("c")
    try shell.expect("$ ", until: deadline)
    #expect(try shell.status(until: deadline) == "130")
    try shell.resize(to: .standard)
    #expect(try shell.settings(until: deadline) == before)
  }

  @Test func interruptedDuringAStep() throws {
    var shell = try startShell()
    let before = try shell.settings(until: deadline)
    try shell.sendLine(
      "$BEGAT interact --timeout 60 --expect never -- sh -c 'trap \"\" INT HUP; echo rea\"\"dy $$; exec cat'",
      until: deadline)
    let match = try shell.expect(.regex(#/ready (\d+)\r+\n/#), until: deadline)
    // Here Ctrl-C is begat's: the user is not handed over yet.
    try shell.sendControl("c")
    try shell.expect("$ ", until: deadline)
    #expect(try shell.status(until: deadline) == "130")
    #expect(eventually { ProcessFacts(pid_t(match.capture(1) ?? "") ?? 0) == nil })
    #expect(try shell.settings(until: deadline) == before)
  }

  /// The other way round: expect(1) is the user of a program on our terminal, on its terminal.
  @Test func expectIsItsUser() throws {
    let script = """
      set timeout 15; log_user 0
      spawn -noecho \(try Programs.begat()) interact -- sh -c {stty -echo; printf "word? "; read a; stty echo; echo "<$a>"; exit 6}
      expect "word? "; send "se cret\\r"; expect "<se cret>"; expect eof
      puts [lindex [wait] 3]
      """
    #expect(try RunningProgram.tool("expect", ["-c", script]).output.text == "6\n")
  }
}
