import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat sem`.
@Suite(.timeLimit(.minutes(30)))
struct SemaphoreCommandTests {
  private let own = OwnKey()
  private var key: String { own.text }
  private let wait = "$| = 1; print \"in\\n\"; select undef, undef, undef, 60"

  private func make() throws {
    let made = try runBegat("sem", "create", key)
    #expect(made.status == .exited(code: 0), "\(made.errors.text)")
  }

  /// Takes it and keeps it until the program is ended.
  private func hold(_ script: String? = nil) throws -> RunningProgram {
    let holder = try RunningProgram(
      try Programs.begat(), ["sem", "take", key, "--"] + signalledPerl + ["-e", script ?? wait])
    try holder.output.awaitLines(containing: "in")
    return holder
  }

  private func value() throws -> Int {
    let shown = try json(runBegat("sem", "show", key, "--json"), as: [String: Any].self)
    return try #require(((shown["semaphores"] as? [[String: Any]])?.first)?["value"] as? Int)
  }

  private func waiters() throws -> Int {
    let shown = try json(runBegat("sem", "show", key, "--json"), as: [String: Any].self)
    return try #require(((shown["semaphores"] as? [[String: Any]])?.first)?["waiting_for_zero"] as? Int)
  }

  /// perlipc's programs, with the key as their argument.
  private let perlTake = """
    my $id = semget($ARGV[0], 0, 0); die "semget: $!" unless defined $id;
    semop($id, pack("sss", 0, 0, 0) . pack("sss", 0, 1, 0)) || die "semop: $!"; $| = 1; print "took\\n";
    """
  private let perlGive = """
    my $id = semget($ARGV[0], 0, 0); die "semget: $!" unless defined $id;
    semop($id, pack("sss", 0, -1, 0)) || die "semop: $!"; print "gave\\n";
    """
  private let perlCreate = "defined(semget($ARGV[0], 1, 0600 | 0001000)) || die \"semget: $!\""

  @Test func oneCommandAtATimeIsIn() throws {
    try make()
    let directory = try TemporaryDirectory()
    try directory.write("0", to: "count")
    let script = """
      cd \(directory.path); mkdir in || echo overlap >> bad; n=$(cat count); echo $((n + 1)) > count; rmdir in
      """
    let loop = "i=0; while [ $i -lt 20 ]; do \"$1\" sem take \"$2\" -- sh -c \"$3\" || exit 9; i=$((i + 1)); done"
    let workers = try (0..<6).map { _ in
      try RunningProgram(try Programs.tool("sh"), ["-c", loop, "sh", try Programs.begat(), key, script])
    }
    for worker in workers {
      #expect(try worker.awaitEnd(within: .seconds(120)) == .exited(code: 0), "\(worker.errors.text)")
    }
    #expect(try RunningProgram.tool("cat", [directory.path("count")]).output.text == "120\n")
    #expect(!directory.exists("bad"))
    #expect(try value() == 0)
  }

  @Test func theStatusIsTheCommands() throws {
    try make()
    #expect(try runBegat("sem", "take", key, "--", "sh", "-c", "exit 7").status == .exited(code: 7))
    #expect(try runBegat("sem", "take", key, "--", "true").status == .exited(code: 0))
    let shell = try RunningProgram.run(
      try Programs.tool("sh"),
      ["-c", "\"$0\" sem take $1 -- sh -c 'kill -TERM $$'; echo $?", try Programs.begat(), key])
    #expect(shell.output.text == "143\n")
    let missing = try runBegat("sem", "take", key, "--", "no-such-command")
    #expect(missing.status == .exited(code: 127) && missing.errors.text.hasPrefix("begat sem: "))
    #expect(try runBegat("sem", "take", key, "--", "/etc/passwd").status == .exited(code: 126))
    #expect(try value() == 0)
  }

  @Test func theCommandHasItsArgumentsInputAndVariables() throws {
    try make()
    let command = try RunningProgram.run(
      try Programs.begat(), ["sem", "take", key, "--", "sh", "-c", "echo \"$1\" \"$WORD\"; cat", "sh", "--json  -h"],
      input: .text("in\0put"), environment: ["WORD=kept"])
    #expect(command.output.text == "--json  -h kept\nin\0put")
  }

  @Test func aKilledHolderGivesBack() throws {
    try make()
    let holder = try hold()
    #expect(try runBegat("sem", "take", key, "--no-wait", "--", "true").status == .exited(code: 75))
    let waiter = try startBegat("sem", "take", key, "--timeout", "20s", "--", "echo", "mine")
    #expect(try eventually { try waiters() == 1 })
    holder.kill()
    #expect(try waiter.awaitEnd() == .exited(code: 0) && waiter.output.text == "mine\n")
    #expect(try value() == 0)
  }

  @Test(arguments: [Signal.interrupt, .terminate])
  func signalsReachTheCommand(signal: Signal) throws {
    try make()
    let handler =
      "use POSIX; $SIG{\(signal.name)} = sub { syswrite STDOUT, \"got \(signal.name)\\n\"; POSIX::_exit 3 };"
    let holder = try hold(handler + wait)
    try holder.send(signal)
    #expect(try holder.awaitEnd() == .exited(code: 3) && holder.output.text == "in\ngot \(signal.name)\n")
    #expect(try value() == 0)
    let other = try hold()
    try other.send(signal)
    #expect(try other.awaitEnd() == .killed(by: signal, dumpedCore: false))
    #expect(try value() == 0)
  }

  @Test func theTimeIsUp() throws {
    try make()
    let holder = try hold()
    for command in [["--", "echo", "in"], []] {
      let watch = Stopwatch()
      let late = try RunningProgram.run(try Programs.begat(), ["sem", "take", key, "--timeout", "300ms"] + command)
      #expect(late.status == .exited(code: 75) && late.output.text == "")
      #expect(watch.elapsed >= .milliseconds(300))
      #expect(late.errors.text == "begat sem: \(own.key) is still taken after 300ms\n")
    }
    // Who gave up leaves nothing behind.
    holder.kill()
    #expect(try value() == 0 && waiters() == 0)
  }

  @Test func takeWithoutACommandLastsUntilGive() throws {
    try make()
    #expect(try runBegat("sem", "take", key).status == .exited(code: 0))
    #expect(try value() == 1)
    #expect(try runBegat("sem", "take", key, "--no-wait").status == .exited(code: 75))
    #expect(try runBegat("sem", "give", key).status == .exited(code: 0))
    let again = try runBegat("sem", "give", key)
    #expect(again.status == .exited(code: 1) && again.errors.text == "begat sem: \(own.key) is not taken\n")
    #expect(try value() == 0)
  }

  /// The first of all that want it makes it, and no one comes in beside another.
  @Test func takeMakesWhatIsMissing() throws {
    let directory = try TemporaryDirectory()
    let script = "mkdir \(directory.path)/in || echo overlap; rmdir \(directory.path)/in"
    let takers = try (0..<8).map { _ in try startBegat("sem", "take", key, "sh", "-c", script) }
    for taker in takers {
      #expect(try taker.awaitEnd(within: .seconds(30)) == .exited(code: 0) && taker.output.text == "")
    }
    #expect(try value() == 0)
  }

  @Test func manyMayHoldIt() throws {
    func take(_ holders: String, _ command: String...) throws -> RunningProgram {
      try RunningProgram(try Programs.begat(), ["sem", "take", key, "--holders", holders, "--no-wait"] + command)
    }
    let holders = try (0..<3).map { _ in try take("3", "sh", "-c", "echo in; exec sleep 60") }
    for holder in holders { try holder.output.awaitLines(containing: "in") }
    #expect(try take("3", "true").awaitEnd() == .exited(code: 75))
    let other = try take("2", "true")
    #expect(try other.awaitEnd() == .exited(code: 125))
    #expect(other.errors.text == "begat sem: \(own.key) is a lock of 3 holders: write --holders 3\n")
    #expect(try runBegat("sem", "take", key, "--no-wait", "true").status == .exited(code: 125))
    holders[1].kill()
    #expect(try eventually { try take("3", "true").awaitEnd() == .exited(code: 0) })
    // Without a command, until it is given back.
    #expect(try take("3").awaitEnd() == .exited(code: 0))
    #expect(try take("3").awaitEnd() == .exited(code: 75))
    #expect(try runBegat("sem", "give", key, "--holders", "3").status == .exited(code: 0))
    #expect(try take("3").awaitEnd() == .exited(code: 0))
  }

  @Test func aSetOfAnotherKindIsRefused() throws {
    #expect(try runBegat("sem", "create", key, "--count", "2").status == .exited(code: 0))
    let taken = try runBegat("sem", "take", key, "--holders", "3", "true")
    #expect(taken.status == .exited(code: 125))
    #expect(
      taken.errors.text
        == "begat sem: \(own.key) is no lock of several holders: use another key, or remove it (begat sem remove \(own.key))\n"
    )
    #expect(try runBegat("sem", "remove", key).status == .exited(code: 0))
    // Three semaphores of the user's own: the second one's value is no number of holders to the third.
    #expect(try runBegat("sem", "create", key, "--count", "3", "--value", "2").status == .exited(code: 0))
    #expect(try runBegat("sem", "give", key, "--index", "2").status == .exited(code: 0))
  }

  /// The kernel gives that place back too: one more than allowed would hold the lock.
  @Test func aCommandsPlaceIsNotGivenByHand() throws {
    func sem(_ words: String...) throws -> ExitStatus? {
      try RunningProgram.run(try Programs.begat(), ["sem", words[0], key, "--holders", "2"] + words.dropFirst()).status
    }
    let holder = try startBegat("sem", "take", key, "--holders", "2", "sh", "-c", "echo in; exec sleep 60")
    try holder.output.awaitLines(containing: "in")
    let given = try runBegat("sem", "give", key, "--holders", "2")
    #expect(given.status == .exited(code: 1))
    #expect(given.errors.text == "begat sem: \(own.key) has no place that was taken without a command\n")
    #expect(try sem("take") == .exited(code: 0))
    #expect(try sem("give") == .exited(code: 0) && sem("give") == .exited(code: 1))
    holder.kill()
    #expect(try eventually { try value() == 2 })
    #expect(try sem("take", "--no-wait") == .exited(code: 0) && sem("take", "--no-wait") == .exited(code: 0))
    #expect(try sem("take", "--no-wait") == .exited(code: 75))
  }

  /// A set without values looks free, and its maker takes it with its values.
  @Test func theMakersValuesAreAwaited() throws {
    let maker = try startPerl(
      """
      my $id = semget($ARGV[0], 1, 0600 | 0001000); $| = 1; print "made\\n"; <STDIN>;
      semctl($id, 0, 16, 0) || die $!; semop($id, pack("sss", 0, 0, 0) . pack("sss", 0, 1, 0)) || die $!;
      """, key, input: .pipe)
    try maker.output.awaitLines(containing: "made")
    let taker = try startBegat("sem", "take", key, "--no-wait", "echo", "in")
    // It sleeps only between two looks at the set: clock_nanosleep(2) is call 230 of x86-64, 115 of arm64.
    let call = "/proc/\(taker.process)/syscall"
    #expect(
      eventually { (try? String(contentsOfFile: call, encoding: .utf8))?.contains(/^(230|115)\b/) == true })
    try maker.write("\n")
    #expect(try maker.awaitEnd() == .exited(code: 0), "\(maker.errors.text)")
    #expect(try taker.awaitEnd() == .exited(code: 75) && taker.output.text == "", "\(taker.errors.text)")
  }

  @Test func perlsTakeAndGiveWorkAgainstIt() throws {
    _ = try runPerl(perlCreate, key)
    // Nobody has done anything with it yet, and Perl's maker gives it no values.
    #expect(try runBegat("sem", "take", key, "--", "true").status == .exited(code: 0))
    #expect(try runPerl(perlTake, key) == "took\n")
    #expect(try runBegat("sem", "take", key, "--no-wait", "--", "true").status == .exited(code: 75))
    #expect(try runPerl(perlGive, key) == "gave\n")

    let holder = try hold()
    let perl = try startPerl(perlTake, key)
    #expect(try eventually { try waiters() == 1 })
    #expect(perl.output.text == "")
    holder.kill()
    #expect(try perl.awaitEnd() == .exited(code: 0) && perl.output.text == "took\n")
    #expect(try runBegat("sem", "give", key).status == .exited(code: 0))
    #expect(try runBegat("sem", "take", key).status == .exited(code: 0))
    #expect(try runPerl(perlGive, key) == "gave\n")
    #expect(try value() == 0)
  }

  @Test func createMakesOneAndRemoveEndsIt() throws {
    let made = try runBegat("sem", "create", key, "--value", "1", "--count", "3", "--mode", "640")
    #expect(made.status == .exited(code: 0))
    let identifier = made.output.text.trimmed
    let shown = try RunningProgram.tool("ipcs", ["-s", "-i", identifier]).output.text
    #expect(shown.contains("mode=0640, access_perms=0640") && shown.contains("nsems = 3"), "\(shown)")
    #expect(try runBegat("sem", "create", key).status == .exited(code: 1))
    let sets: [[String: Any]] = try json(try runBegat("sem", "list", "--json"))
    let set = try #require(sets.first { $0["id"] as? Int == Int(identifier) })
    #expect(set["count"] as? Int == 3 && set["mode"] as? String == "0640")
    #expect(
      try runBegat("sem", "list").output.lines.contains { $0.contains(" \(identifier) ") || $0.hasPrefix(identifier) })
    #expect(try runBegat("sem", "give", key, "--index", "2").status == .exited(code: 0))
    let table = try runBegat("sem", "show", key).output.lines.dropFirst(2).map { $0.split(separator: " ")[1] }
    #expect(table == ["1", "1", "0"])
    #expect(try runBegat("sem", "take", key, "--index", "3", "--no-wait").status == .exited(code: 1))

    let waiter = try startBegat("sem", "take", key, "--", "echo", "in")
    #expect(try eventually { try waiters() == 1 })
    #expect(try runBegat("sem", "remove", key).status == .exited(code: 0))
    #expect(try waiter.awaitEnd() == .exited(code: 125) && waiter.output.text == "")
    #expect(waiter.errors.text.contains("Identifier removed"))
    for command in ["show", "remove", "give"] {
      let gone = try runBegat("sem", command, key)
      #expect(gone.status == .exited(code: 1) && gone.errors.lines.count == 1, "\(command)")
    }
    #expect(!(try RunningProgram.tool("ipcs", ["-s"]).output.text.contains(identifier)))
  }

  @Test(.enabled(if: Machine.isRoot, "needs root"))
  func aStrangersSetIsNotTrusted() throws {
    let command = try Machine.unprivileged() + [try Programs.begat(), "sem", "create", key, "--mode", "666"]
    #expect(try RunningProgram.run(command[0], Array(command.dropFirst())).status == .exited(code: 0))
    let refused = try runBegat("sem", "take", key, "--", "echo", "in")
    #expect(refused.status == .exited(code: 125) && refused.output.text == "")
    #expect(refused.errors.text.contains("made by user 65534"))
    #expect(try runBegat("sem", "take", key, "--any-maker", "--", "echo", "in").output.text == "in\n")
    #expect(try runBegat("sem", "show", key).status == .exited(code: 0))
  }

  @Test(arguments: [
    ["take"], ["take", "0"], ["take", "lock"], ["take", "1", "--no-wait", "--timeout", "1s"],
    ["take", "1", "--holders", "0"],
    ["take", "1", "--holders", "2", "--index", "1"],
    ["take", "1", "--timeout", "5x"], ["create", "1", "--value", "32768"], ["create", "1", "--count", "0"],
    ["create", "1", "--mode", "rw"], ["take", "1", "--index", "-1"], ["give"], ["show", "1", "2"], ["nosuch"],
  ])
  func wrongCommandLinesAreUsage(arguments: [String]) throws {
    #expect(try RunningProgram.run(try Programs.begat(), ["sem"] + arguments).status == .exited(code: 64))
  }
}
