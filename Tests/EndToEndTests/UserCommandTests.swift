import Glibc
import Testing
@_spi(Begat) import UnixCore

/// What all commands promise that run a command of the user's.
@Suite(.timeLimit(.minutes(30)))
struct UserCommandTests {
  /// With `KEY` for a free semaphore's.
  static let ways = [
    "run", "run --timeout 60s", "run --max-output 1M", "pipe --no-input", "interact --no-input", "sem take KEY",
  ]
  /// Those in which begat stands beside the command.
  static let besides = ways.filter { $0 != "run" && $0 != "sem take KEY" }

  private let own = OwnKey()

  /// - Parameter script: with `BEGAT` for the command line up to the user's command.
  private func bash(_ way: String, _ script: String) throws -> RunningProgram {
    if way.contains("KEY") { _ = try runBegat("sem", "create", own.text) }
    let words = "\(try Programs.begat()) \(way.replacing("KEY", with: own.text)) --"
    return try RunningProgram.run(
      try Programs.tool("bash"), ["-c", script.replacing("BEGAT", with: words)], within: .seconds(60))
  }

  @Test(arguments: ways)
  func bytesThatAreNoTextArriveAsTheyAre(way: String) throws {
    let shown = try bash(way, #"V=$'x\xff\xfey' BEGAT sh -c 'printf %s "$1/$V"' sh $'a\xffb\xc3' -- $'\xff'"#)
    #expect(
      shown.output.bytes == [0x61, 0xff, 0x62, 0xc3, 0x2f, 0x78, 0xff, 0xfe, 0x79], "\(shown.errors.text)")
  }

  @Test(arguments: ways)
  func aNameThatIsNotUTF8IsRefused(way: String) throws {
    let refused = try bash(way, #"BEGAT $'no\xff' $'a\xff'"#)
    #expect(refused.status == .exited(code: 126))
    let (line, end) = (refused.errors.text, ": execve no\\xff, a name that is not UTF-8: Invalid argument\n")
    #expect(refused.errors.lines.count == 1 && line.hasSuffix(end), "\(line)")
  }

  /// As with env(1), timeout(1) and sudo(8).
  @Test(arguments: ways)
  func dashesBeforeItAreNotNeeded(way: String) throws {
    let shown = try bash(way, #"W="BEGAT"; ${W% --} printf '%s|' --timeout -- --quiet"#)
    #expect(shown.output.text == "--timeout|--|--quiet|", "\(shown.errors.text)")
  }

  /// The kernel would discard the statuses of all that begat starts.
  @Test(arguments: ways)
  func anIgnoredSIGCHLDIsNotTakenOver(way: String) throws {
    let script = #"exec perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' BEGAT sh -c "$0""#
    let words = "grep SigIgn /proc/self/status; exit 7"
    let shown = try bash(way, script.replacing("\"$0\"", with: "'\(words)'"))
    #expect(shown.status == .exited(code: 7), "\(shown.errors.text)")
    #expect(shown.output.text.trimmed.hasSuffix("\t0000000000000000"), "\(shown.output.text)")
  }

  @Test func theStagesOfARunAreBytesToo() throws {
    let shown = try bash("run", #"BEGAT printf %s $'a\xffb' '|' cat"#)
    #expect(shown.output.bytes == [0x61, 0xff, 0x62], "\(shown.errors.text)")
  }

  @Test func theCommandOfASignatureIsBytesToo() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("sig")
    let server = try RunningProgram(
      try Programs.tool("bash"),
      ["-c", #"exec "$0" signature --fifo "$1" --name '' -- printf %s $'a\xffb'"#, try Programs.begat(), path])
    #expect(eventually(within: .seconds(20)) { directory.exists("sig") }, "\(server.errors.text)")
    #expect(try RunningProgram.tool("cat", [path]).output.bytes == [0x61, 0xff, 0x62])
    try server.send(.terminate)
    #expect(try server.awaitEnd() == .exited(code: 0))
  }

  /// As with nohup(1), and with what a shell's & does.
  @Test(arguments: ways)
  func whatWasIgnoredStaysIgnored(way: String) throws {
    let mask = "sed -n 's/^SigIgn:\\t0*//p' /proc/self/status"
    // The keys of a program's own terminal are for it, whatever a shell's & has told begat.
    let expected = way.hasPrefix("interact") ? "1201" : "1207"
    #expect(try bash(way, "trap '' HUP INT QUIT PIPE USR1; BEGAT \(mask)").output.text.trimmed == expected)
    // Nothing that begat ignores itself.
    #expect(try bash(way, "BEGAT \(mask)").output.text.trimmed == "")
  }

  @Test func catsCommandsIgnoreItToo() throws {
    let script = "trap '' HUP; \"$0\" cat 'grep SigIgn /proc/self/status |'"
    let shown = try RunningProgram.tool("bash", ["-c", script, try Programs.begat()])
    #expect(shown.output.text.trimmed.hasSuffix("0001"))
  }

  /// Not even begat ends.
  @Test(arguments: besides)
  func anIgnoredHangUpEndsNobody(way: String) throws {
    let kept = try bash(way, "trap '' HUP; BEGAT sh -c 'kill -HUP $PPID $$ && echo on; exit 7'")
    #expect(kept.status == .exited(code: 7) && kept.output.text.trimmed == "on", "\(kept.errors.text)")
  }

  @Test(arguments: ways)
  func pathsAreCheckedAsNamesAre(way: String) throws {
    for (path, status, words) in [
      ("/nonexistent", 127, "No such file or directory"), ("/etc/passwd", 126, "Permission denied"),
      ("/etc", 126, "Permission denied"), ("/etc/passwd/x", 126, "Not a directory"),
    ] as [(String, CInt, String)] {
      let refused = try bash(way, "BEGAT \(path)")
      #expect(refused.status == .exited(code: status))
      #expect(refused.errors.text.hasSuffix(": execve \(path): \(words)\n"), "\(refused.errors.text)")
    }
  }

  @Test func nothingIsBegunForACommandThatIsNotThere() throws {
    let directory = try TemporaryDirectory()
    let first = try bash("run", "BEGAT touch \(directory.path("begun")) '|' /nonexistent")
    #expect(first.status == .exited(code: 127) && !directory.exists("begun"))
    for (name, status) in [("/nonexistent", 127), ("/etc/passwd", 126)] as [(String, CInt)] {
      let served = try runBegat("signature", "--fifo", directory.path("sig"), "--", name)
      #expect(served.status == .exited(code: status) && served.errors.lines.count == 1)
    }
    // Not waited for either.
    #expect(try runBegat("sem", "create", own.text, "--value", "1").status == .exited(code: 0))
    #expect(try runBegat("sem", "take", own.text, "--", "/nonexistent").status == .exited(code: 127))
  }

  /// Not in the directory of the caller.
  @Test(arguments: ["run", "run --timeout 60s"])
  func aPathIsLookedForWhereTheCommandRuns(way: String) throws {
    let directory = try TemporaryDirectory()
    let tool = try directory.write("#!/bin/sh\necho found\n", to: "tool")
    try #require(chmod(tool, 0o755) == 0)
    let found = try bash(way + " --directory \(directory.path)", "BEGAT ./tool")
    #expect(found.output.text == "found\n", "\(found.errors.text)")
    let missing = try bash(way + " --directory \(directory.path)", "BEGAT ./missing")
    #expect(missing.status == .exited(code: 127) && missing.errors.text.contains("execve ./missing: No such file"))
    let nowhere = try bash(way + " --directory /nowhere", "BEGAT ./tool")
    #expect(nowhere.status == .exited(code: 125) && nowhere.errors.text.contains("chdir /nowhere: No such file"))
  }
}
