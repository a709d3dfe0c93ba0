import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat shm`.
@Suite(.timeLimit(.minutes(30)))
struct SharedMemoryCommandTests {
  private let own = OwnKey()

  /// Makes a segment with the test's key and returns its identifier.
  private func make(_ size: String = "2000") throws -> String {
    let made = try runBegat("shm", "create", "--key", own.text, size)
    #expect(made.status == .exited(code: 0), "\(made.errors.text)")
    return made.output.text.trimmed
  }

  private func facts(_ segment: String) throws -> [String: Any] {
    try json(runBegat("shm", "show", segment, "--json"))
  }

  @Test func perlReadsWhatItWrites() throws {
    let identifier = try make()
    let text = "Message #1\0\n\u{7f}é"
    #expect(try runBegat("shm", "write", identifier, "--offset", "60", input: .text(text)).status == .exited(code: 0))
    let read = try runPerl(
      "shmread($ARGV[0], my $all, 0, 2000) || die $!; print $all", identifier)
    #expect(read == String(repeating: "\0", count: 60) + text + String(repeating: "\0", count: 1940 - text.utf8.count))
  }

  @Test func itReadsWhatPerlWrites() throws {
    let script = """
      my $id = shmget($ARGV[0], 2000, 0600 | 0001000 | 0002000) // die $!;
      shmwrite($id, join('', map chr, 0..255), 100, 256) || die $!; print $id
      """
    let identifier = try runPerl(script, own.text)
    let read = try runBegat("shm", "read", identifier, "--offset", "100", "--count", "256")
    #expect(read.status == .exited(code: 0) && read.output.bytes == (0...255).map { UInt8($0) })
    #expect(try runBegat("shm", "read", "--key", own.text).output.bytes.count == 2000)
    #expect(try runBegat("shm", "read", "\(own.key)", "--offset", "2000").output.bytes == [])
  }

  /// perlipc's ten characters came back as sixty.
  @Test func theTrueLengthComesBack() throws {
    let identifier = try make()
    let counted = try runBegat("shm", "write", identifier, "--counted", input: .text("Message #1"))
    #expect(counted.status == .exited(code: 0))
    #expect(try runBegat("shm", "read", identifier, "--counted").output.text == "Message #1")
    #expect(
      try runPerl("shmread($ARGV[0], my $all, 0, 2000) || die $!; print unpack 'L/a*', $all", identifier)
        == "Message #1")
    _ = try runPerl(
      "my $text = pack 'L/a*', 'from Perl'; shmwrite($ARGV[0], $text, 50, length $text) || die $!", identifier)
    #expect(try runBegat("shm", "read", identifier, "--counted", "--offset", "50").output.text == "from Perl")
    // A number that is greater than the rest is no reason to read further.
    _ = try runPerl("shmwrite($ARGV[0], pack('L', 1997), 0, 4) || die $!", identifier)
    let refused = try runBegat("shm", "read", identifier, "--counted")
    #expect(refused.status == .exited(code: 1) && refused.output.text == "")
  }

  @Test func whatDoesNotFitIsNotWritten() throws {
    let identifier = try make("10")
    #expect(try runBegat("shm", "write", identifier, input: .text("0123456789")).status == .exited(code: 0))
    for (options, text) in [
      ([], "abcdefghijk"), (["--offset", "9"], "ab"), (["--offset", "11"], ""), (["--counted"], "abcdefg"),
    ] {
      let refused = try RunningProgram.run(
        try Programs.begat(), ["shm", "write", identifier] + options, input: .text(text))
      #expect(refused.status == .exited(code: 1) && refused.errors.lines.count == 1, "\(options)")
    }
    #expect(try runBegat("shm", "read", identifier).output.text == "0123456789")
    #expect(try runBegat("shm", "read", identifier, "--count", "11").status == .exited(code: 1))
    #expect(try runBegat("shm", "read", identifier, "--offset", "11").status == .exited(code: 1))
    #expect(try runBegat("shm", "write", identifier, "--offset", "10").status == .exited(code: 0))
  }

  @Test func ipcsSeesItAndIpcrmRemovesIt() throws {
    let identifier = try make("4K")
    let line = try #require(try RunningProgram.tool("ipcs", ["-m"]).output.lines(containing: " \(identifier) ").first)
    #expect(line.hasPrefix("\(own.key)") && line.contains(" 600 ") && line.contains(" 4096 "))
    let facts = try facts(identifier)
    #expect(
      facts["key"] as? String == "\(own.key)" && facts["bytes"] as? Int == 4096 && facts["mode"] as? String == "0600")
    let listed = try json(runBegat("shm", "list", "--json"), as: [[String: Any]].self)
    #expect(listed.count { "\($0["id"] as? Int ?? -1)" == identifier } == 1)
    _ = try RunningProgram.tool("ipcrm", ["-m", identifier])
    #expect(
      try runBegat("shm", "show", identifier).errors.text == "begat shm: there is no shared memory \(identifier)\n")
  }

  @Test func removeRemovesOnce() throws {
    let identifier = try make("1")
    #expect(try runBegat("shm", "create", "--key", own.text, "1").status == .exited(code: 1))
    #expect(try runBegat("shm", "remove", "--key", own.text).status == .exited(code: 0))
    #expect(!(try RunningProgram.tool("ipcs", ["-m"]).output.text.contains(" \(identifier) ")))
    for segment in [identifier, "\(own.key)"] {
      for command in ["remove", "read", "write", "show"] {
        let gone = try runBegat("shm", command, segment)
        #expect(gone.status == .exited(code: 1) && gone.errors.lines.count == 1, "\(command) \(segment)")
      }
    }
  }

  @Test func aPathIsPerlsKey() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("", to: "key")
    let made = try runBegat("shm", "create", "--path", "\(file):7", "--mode", "640", "100")
    #expect(made.status == .exited(code: 0), "\(made.errors.text)")
    defer { _ = try? runBegat("shm", "remove", made.output.text.trimmed) }
    let found = try runPerl(
      "use IPC::SysV 'ftok'; print shmget(ftok($ARGV[0], 7), 0, 0) // die $!", file)
    #expect(found == made.output.text.trimmed)
    #expect(try runBegat("shm", "read", "\(file):7").output.bytes.count == 100)
    #expect(try facts("\(file):7")["mode"] as? String == "0640")
    #expect(try runBegat("shm", "show", file).status == .exited(code: 1))
  }

  @Test(arguments: [
    ["create"], ["create", "0"], ["create", "-1"], ["create", "1X"], ["create", "10", "--key", "0"],
    ["create", "10", "--key", "1", "--path", "/"], ["read"], ["read", "x"], ["read", "1", "--key", "2"],
    ["read", "1", "--count", "1", "--counted"], ["write", "1", "--offset", "x"], ["remove"], ["list", "1"],
  ])
  func wrongCommandLinesAreUsage(arguments: [String]) throws {
    #expect(try RunningProgram.run(try Programs.begat(), ["shm"] + arguments).status == .exited(code: 64))
  }
}
