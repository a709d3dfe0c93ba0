import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat cat`: perlipc's magic open.
@Suite(.timeLimit(.minutes(30)))
struct CatTests {
  @Test func sourcesComeInOrder() throws {
    let directory = try TemporaryDirectory()
    let first = try directory.write("first\n", to: "f1")
    let second = try directory.write("second\n", to: "f2")
    let odd = try directory.write("a name that ends so\n", to: "x|")
    let cat = try begat([first, "printf 'cmd %s\\n' 1|", "-", second, "echo cmd 2 |", "--file", odd], "stdin\n")
    #expect(cat.output.text == "first\ncmd 1\nstdin\nsecond\ncmd 2\na name that ends so\n")
    #expect(cat.status == .exited(code: 0) && cat.errors.text == "")
    #expect(try begat(["--no-commands", odd]).output.text == "a name that ends so\n")
    #expect(try begat([], "alone").output.text == "alone")
  }

  @Test func whatFailsIsSaidAndTheRestGoesOn() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("kept\n", to: "f")
    let cat = try begat(["/nowhere/f", "false|", "bogus|", "sh -c 'echo half; exit 3'|", "a ; b|", "|", file])
    #expect(cat.status == .exited(code: 1))
    #expect(cat.output.text == "half\nkept\n")
    #expect(
      cat.errors.lines == [
        "begat cat: open /nowhere/f: No such file or directory", "begat cat: false|: exit 1",
        "begat cat: execve bogus: No such file or directory", "begat cat: sh -c 'echo half; exit 3'|: exit 3",
        "begat cat: a ; b|: ; is for a shell, and there is none: quote it, or write sh -c '...'",
        "begat cat: |: no command",
      ])
    #expect(try begat(["--nonsense"]).status == .exited(code: 64))
  }

  @Test func aHostileNameRunsNothing() throws {
    let directory = try TemporaryDirectory()
    let hostile = try directory.write("harmless\n", to: "touch run|")
    let cat = try begat(["--no-commands", hostile])
    #expect(cat.output.text == "harmless\n")
    #expect(try directory.names() == ["touch run|"])
    let escape = try begat(["--no-commands", "/nowhere/\u{1b}[2J|"])
    #expect(escape.errors.text.contains("\\x1b[2J") && !escape.errors.text.contains("\u{1b}"))
  }

  @Test func bytesAreNotTouched() throws {
    let directory = try TemporaryDirectory()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 / 3) }
    let file = directory.path("bytes")
    let descriptor = try Descriptor.open(file, [.writeOnly, .create])
    try bytes.withUnsafeBytes { try descriptor.writeAll($0) }
    let program = Program(path: try Programs.begat(), arguments: ["cat", file, "cat \(file)|"])
    let capture = try program.capture(limit: 10_000_000, until: UnixCore.Deadline(after: .seconds(60)))
    #expect(capture.isSuccess && capture.output == bytes + bytes)
  }

  /// Within the kernel where that goes: not to the end of a file (O_APPEND), nor from files of /proc.
  @Test(arguments: [">", ">>"])
  func filesAreCopiedToFiles(_ redirection: String) throws {
    let directory = try TemporaryDirectory()
    _ = try directory.write(String(repeating: "first\n", count: 100_000), to: "first")
    let script = """
      cd "$1"; printf 'old\\n' > out; printf 'inner\\n' > inner
      "$0" cat first - inner /proc/self/comm \(redirection) out < inner
      { [ '\(redirection)' = '>' ] || echo old; cat first inner inner; echo begat; } > expected
      cmp out expected
      """
    let shown = try RunningProgram.run(
      try Programs.tool("bash"), ["-c", script, try Programs.begat(), directory.path], within: .seconds(60))
    #expect(shown.status == .exited(code: 0), "\(shown.output.text)\(shown.errors.text)")
  }

  @Test func manyCommandsLeaveNothing() throws {
    // The last one looks at what its parent has: itself as a child, and few descriptors.
    let look = "sh -c 'ps --no-headers -o stat --ppid $PPID | grep -c Z; ls /proc/$PPID/fd | wc -l'|"
    let program = Program(
      path: try Programs.begat(), arguments: ["cat"] + [String](repeating: "true|", count: 10_000) + [look],
      environment: .init(entries: RunningProgram.environment))
    let capture = try program.capture(limit: 1000, until: UnixCore.Deadline(after: .seconds(300)))
    let numbers = String(decoding: capture.output, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
    #expect(capture.isSuccess && numbers.count == 2 && numbers[0] == 0 && numbers[1] < 10, "\(numbers)")
  }

  @Test func aReaderThatLeavesEndsIt() throws {
    let stages = Pipeline(
      Program(path: try Programs.begat(), arguments: ["cat", "/dev/zero"]),
      Program(path: "/usr/bin/head", arguments: ["-c", "10"]))
    #expect(try stages.run(output: .null) == [.killed(by: .brokenPipe, dumpedCore: false), .exited(code: 0)])
  }

  /// Runs a script of bash with `$0` for begat, in a directory of its own.
  private func bash(_ script: String) throws -> RunningProgram {
    let directory = try TemporaryDirectory()
    return try RunningProgram.run(
      try Programs.tool("bash"), ["-c", "cd '\(directory.path)'; ulimit -f 2000; \(script)", try Programs.begat()],
      within: .seconds(30))
  }

  /// As GNU cat has it: what could find its own output is refused, and an input that is empty is none.
  @Test(arguments: [
    ("echo x > f; \"$0\" cat - < f >> f; echo $?; cat f", "1\nx\n"),
    ("echo x > f; \"$0\" cat f >> f; echo $?; cat f", "1\nx\n"),
    ("echo x > f; echo y > g; \"$0\" cat g - < f 1<> f; echo $?; cat f", "1\ny\n"),
    (": > f; \"$0\" cat f >> f; echo $?", "0\n"),
    ("echo x > f; echo y > g; \"$0\" cat - g < f 1<> f; echo $?; cat f", "0\nx\ny\n"),
  ])
  func anInputThatIsTheOutputIsNotReadForever(script: String, output: String) throws {
    let shown = try bash(script)
    #expect(shown.output.text == output, "\(shown.errors.text)")
    #expect(shown.errors.text.contains("is the output itself") == output.hasPrefix("1"))
  }

  @Test func aClosedInputIsAFailure() throws {
    let closed = try bash("\"$0\" cat <&-; echo $?")
    #expect(closed.output.text == "1\n")
    #expect(closed.errors.text == "begat cat: read standard input: Bad file descriptor\n")
  }

  /// As another process of the pipeline may have left it.
  @Test func anInputThatDoesNotBlockIsWaitedFor() throws {
    let script = """
      python3 -c 'import os, subprocess, sys
      read, write = os.pipe(); os.set_blocking(read, False)
      cat = subprocess.Popen([sys.argv[1], "cat"], stdin=read); os.close(read)
      while open(f"/proc/{cat.pid}/stat").read().rpartition(")")[2].split()[0] != "S" and cat.poll() is None: pass
      os.write(write, b"late\\n"); os.close(write); sys.exit(cat.wait())' "$0"
      """
    let late = try bash(script)
    #expect(late.output.text == "late\n" && late.status == .exited(code: 0), "\(late.errors.text)")
  }

  @Test func namesAreBytes() throws {
    let shown = try bash(#"N=$'n\xff'; echo x > "$N"; echo y > -d; "$0" cat "$N" --file "$N" --file -d"#)
    #expect(shown.output.text == "x\nx\ny\n", "\(shown.errors.text)")
  }

  private func begat(_ words: [String], _ input: String = "") throws -> RunningProgram {
    try RunningProgram.run(try Programs.begat(), ["cat"] + words, input: .text(input))
  }
}
