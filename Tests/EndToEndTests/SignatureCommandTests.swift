import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat signature`: perlipc's `.signature` server.
@Suite(.timeLimit(.minutes(30)))
struct SignatureCommandTests {
  /// A server of its own place, whose FIFO is there.
  private struct Server {
    let directory: TemporaryDirectory
    let program: RunningProgram
    var path: String { directory.path("sig") }

    init(_ options: String..., command: [String] = [], in given: TemporaryDirectory? = nil) throws {
      let directory = try given ?? TemporaryDirectory()
      self.directory = directory
      let place = directory.path("sig")
      program = try RunningProgram(
        try Programs.begat(),
        ["signature", "--fifo", place] + options + (command.isEmpty ? [] : ["--"] + command))
      guard eventually(within: .seconds(20), { isFIFO(place) }) else {
        throw HarnessFailure("no FIFO came: \(program.errors.text)")
      }
    }

    func read() throws -> String { try RunningProgram.tool("cat", [path]).output.text }

    /// Ends it, and asserts that it went well and left nothing.
    func stop(by signal: Signal = .terminate) throws {
      try program.send(signal)
      #expect(try program.awaitEnd() == .exited(code: 0), "\(program.errors.text)")
      let names = try directory.names()
      #expect(!names.contains { $0.contains("sig") }, "\(names)")
    }
  }

  private static func isFIFO(_ path: String) -> Bool { (try? FileKind(at: path)) == .fifo }

  /// Reads the FIFO as often as told, waiting for its partner before each time, and tells what came.
  private static let readers = """
    use strict; use Socket; my ($path, $count, $together) = @ARGV; my $tool = $ARGV[3] || "";
    my @kids; my %seen; my ($one, $none, $more, $broken, $twice) = (0) x 5;
    for (1 .. $count / $together) {
      pipe(my $wait, my $go); my @ends;
      for (1 .. $together) {
        pipe(my $read, my $write); my $kid = fork // die;
        if (!$kid) {
          close $go; close $read; open(STDOUT, ">&", $write) or die; sysread($wait, my $byte, 1);
          exec "cat", $path if $tool; $| = 1;
          open(my $fifo, "<", $path) or die "open: $!"; print <$fifo>; exit 0;
        }
        close $write; push @ends, [$kid, $read];
      }
      close $wait; close $go;
      for my $end (@ends) {
        my ($kid, $read) = @$end; local $/; my $text = <$read>; waitpid $kid, 0; die "status $?" if $?;
        my @texts = $text =~ /\\GName\\nentry (\\d+)\\n/gc; $broken++ if length($text) != (pos($text) // 0);
        @texts == 1 ? $one++ : @texts ? $more++ : $none++;
        for my $number (@texts) { $twice++ if $seen{$number}++ }
      }
    }
    print "one $one, none $none, more $more, broken $broken, twice $twice\\n";
    """

  /// A command of which each run prints another number.
  private static let counter = [
    "perl", "-e",
    "open(F, '+<', $ARGV[0]) or die; my $n = <F> + 1; seek F, 0, 0; print F $n; print qq(entry $n\\n)",
  ]

  @Test(arguments: ["", "cat"])
  func serves1000ReadersTwoAtOnceExactlyOneWholeTextEach(tool: String) throws {
    let directory = try TemporaryDirectory()
    let entries = (1...50_000).map { "entry \($0)\n" }.joined(separator: "%\n")
    let server = try Server("--name", "Name", "--fortunes", try directory.write(entries, to: "many"))
    let watch = Stopwatch()
    let readers = try RunningProgram.run(
      try Programs.tool("perl"), ["-e", Self.readers, server.path, "1000", "2", tool], within: .seconds(300))
    // Chosen at random, a fortune may come twice: about ten pairs in a thousand of 50,000.
    print(
      "1000 readers, two at once, \(tool.isEmpty ? "perl" : tool): \(readers.output.text.trimmed), \(watch.elapsed)")
    #expect(readers.output.text.hasPrefix("one 1000, none 0, more 0, broken 0, "), "\(readers.errors.text)")
    try server.stop()
  }

  @Test func theCommandIsRunAnewForEachReader() throws {
    let directory = try TemporaryDirectory()
    let server = try Server("--name", "Name", command: Self.counter + [try directory.write("0", to: "n")])
    let watch = Stopwatch()
    let readers = try RunningProgram.run(
      try Programs.tool("perl"), ["-e", Self.readers, server.path, "1000", "2"], within: .seconds(300))
    print("1000 readers of a command, two at once: \(readers.output.text.trimmed), \(watch.elapsed)")
    #expect(readers.output.text == "one 1000, none 0, more 0, broken 0, twice 0\n", "\(readers.errors.text)")
    try server.stop()
  }

  @Test func everyKindOfReaderGetsIt() throws {
    let directory = try TemporaryDirectory()
    let server = try Server(
      "--name", "John Smith (smith@host.org)", "--name", "Somewhere", "--fortunes",
      try directory.write("Only this.\n%\n\(String(repeating: "too long ", count: 20))\n", to: "few"))
    let whole = "John Smith (smith@host.org)\nSomewhere\nOnly this.\n"
    for _ in 0..<5 { #expect(try server.read() == whole) }
    let python = "import os, sys; os.stat(sys.argv[1]); print(open(sys.argv[1]).read(), end='')"
    #expect(try RunningProgram.tool("python3", ["-c", python, server.path]).output.text == whole)
    #expect(try RunningProgram.tool("head", ["-c", "5", server.path]).output.text == "John ")
    #expect(
      try RunningProgram.tool("sh", ["-c", "read a < \"$0\"; echo $a", server.path]).output.text.contains("John"))
    #expect(try server.read() == whole)
    #expect(server.program.errors.text == "")
    try server.stop(by: .hangUp)
  }

  @Test func theNameIsTheUsersOwnOrNone() throws {
    let directory = try TemporaryDirectory()
    let fortunes = try directory.write("Only this.\n", to: "few")
    let entry = try RunningProgram.tool("getent", ["passwd", "\(geteuid())"]).output.text.split(
      separator: ":", omittingEmptySubsequences: false)
    let full = entry[4].prefix { $0 != "," }
    let host = try RunningProgram.tool("uname", ["-n"]).output.text.trimmed
    let named = try Server("--fortunes", fortunes)
    #expect(try named.read() == "\(full.isEmpty ? entry[0] : full) (\(entry[0])@\(host))\nOnly this.\n")
    try named.stop()
    let nameless = try Server("--fortunes", fortunes, "--name", "")
    #expect(try nameless.read() == "Only this.\n")
    try nameless.stop(by: .interrupt)
  }

  @Test func aReaderThatLeavesEarlyDoesNotEndIt() throws {
    // Above what a pipe takes at once there would be more to lose; a signature never is.
    let server = try Server("--name", String(repeating: "n", count: 3900))
    let script = """
      use Fcntl; for (1 .. 300) {
        sysopen(F, $ARGV[0], O_RDONLY | ($_ % 3 ? 0 : O_NONBLOCK)) or die "$!"; sysread(F, $_, 1) if $_ % 2; close F;
      } print "left\\n"
      """
    #expect(try runPerl(script, server.path) == "left\n")
    #expect(try server.read().hasPrefix("nnn"))
    #expect(!server.program.hasEnded)
    try server.stop()
  }

  @Test func aCommandThatFailsIsNotServed() throws {
    for (command, words) in [
      (["sh", "-c", "echo half; exit 3"], "exit 3"), (["sh", "-c", "echo half; kill -9 $$"], "killed by SIGKILL"),
      (["yes"], "more than 4091 bytes"), (["sh", "-c", "echo half; sleep 100"], "still running"),
    ] {
      let server = try Server("--name", "Name", "--timeout", "1s", command: command)
      #expect(try server.read() == "Name\n")
      let line = try server.program.errors.awaitLines(containing: words)[0]
      #expect(line.hasPrefix("begat signature: \(command.joined(separator: " ")): "), "\(line)")
      try server.stop()
    }
    // What fits to the last byte does.
    let server = try Server("--name", "Name", command: ["head", "-c", "4091", "/dev/zero"])
    #expect(try server.read() == "Name\n" + String(repeating: "\0", count: 4091))
    try server.stop()
    let missing = try runBegat("signature", "--fifo", server.path, "--", "no-such-command")
    #expect(missing.status == .exited(code: 127) && missing.errors.lines.count == 1)
  }

  @Test func aSlowCommandDoesNotHoldUpTheEnd() throws {
    let server = try Server("--timeout", "1h", command: ["sh", "-c", "echo begun >&2; exec sleep 3600"])
    try server.program.errors.awaitLines(containing: "begun")
    try server.stop()
  }

  @Test func aSecondOneIsRefused() throws {
    let server = try Server()
    let second = try runBegat("signature", "--fifo", server.path)
    #expect(second.status == .exited(code: 1) && second.errors.lines.count == 1)
    #expect(second.errors.text.contains("another server serves it"))
    #expect(try server.read() != "")
    server.program.kill()
    // A killed one's place is the next one's.
    let next = try Server(in: server.directory)
    #expect(try next.read() != "")
    try next.stop()
  }

  @Test func whatIsNoFIFOIsRefusedAndUntouched() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("kept", to: "file")
    try directory.make("directory")
    let link = directory.path("link")
    try #require(symlink("file", link) == 0 && symlink("nowhere", directory.path("dangling")) == 0)
    for name in ["file", "link", "dangling", "directory"] {
      let refused = try runBegat("signature", "--fifo", directory.path(name))
      #expect(refused.status == .exited(code: 1) && refused.errors.text.contains("is not a FIFO"), "\(name)")
    }
    #expect(try RunningProgram.tool("cat", [file]).output.text == "kept")
    #expect(try RunningProgram.tool("readlink", [link, directory.path("dangling")]).output.text == "file\nnowhere\n")
    #expect(try directory.names() == ["dangling", "directory", "file", "link"])
  }

  /// Every second time as soon as its FIFO stands there, else at any moment of its start.
  @Test func filesThatAreSwappedIntoItsPlaceAreUntouched() throws {
    let directory = try TemporaryDirectory()
    let script = """
      use strict; use IO::Handle; my ($begat, $dir) = @ARGV; my $path = "$dir/sig"; my %after;
      my ($before, $running, $elsewhere) = (0, 0, 0); mkdir "$dir/out";
      for my $turn (1 .. 1000) {
        # A file or a link, from this directory or another one, moved over what is there.
        my $from = ($turn & 4 ? "$dir/out" : $dir) . "/new"; $elsewhere++ if $turn & 4;
        if ($turn & 1) { open(F, ">", $from) or die; print F "kept $turn"; close F } else { symlink("kept$turn", $from) or die }
        my $kid = fork // die;
        if (!$kid) { open(STDERR, ">", "$dir/said"); exec $begat, "signature", "--fifo", $path; exit 9 }
        if ($turn & 2) { select(undef, undef, undef, 0.001) until -p $path } else { select(undef, undef, undef, rand(0.06)) }
        -p $path ? $running++ : $before++;
        rename($from, $path) or die "rename: $!";
        $SIG{ALRM} = sub { kill KILL => $kid; die "turn $turn: it goes on" }; alarm 20; waitpid $kid, 0; alarm 0;
        die "turn $turn: status $?" unless $? == 256;
        my $is = $turn & 1 ? do { open(F, "<", $path) or die "gone"; local $/; !-l $path && <F> } : readlink $path;
        die "turn $turn: $is" unless $is eq ($turn & 1 ? "kept $turn" : "kept$turn");
        unlink $path or die;
        opendir(D, $dir); my @left = grep { !/^(\\.|\\.\\.|out|said)$/ } readdir D; die "turn $turn left: @left" if @left;
      }
      print "before it served $before, while it served $running, from another directory $elsewhere\\n";
      """
    let watch = Stopwatch()
    let swapper = try RunningProgram.run(
      try Programs.tool("perl"), ["-e", script, try Programs.begat(), directory.path], within: .seconds(400))
    print("1000 swaps: \(swapper.output.text.trimmed), \(watch.elapsed)")
    #expect(swapper.status == .exited(code: 0), "\(swapper.errors.text)")
    #expect(swapper.output.text.hasPrefix("before it served "))
  }

  @Test func theHomeDirectoryIsTheUsualPlace() throws {
    let directory = try TemporaryDirectory()
    let program = try RunningProgram(
      try Programs.tool("env"), ["HOME=\(directory.path)", try Programs.begat(), "signature"])
    #expect(eventually(within: .seconds(10)) { Self.isFIFO(directory.path(".signature")) })
    #expect(try RunningProgram.tool("cat", [directory.path(".signature")]).output.text.contains("@"))
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0) && directory.names() == [])
  }

  @Test(arguments: [
    ["--fifo", ""], ["--timeout", "5"], ["--timeout", "0", "--", "true"],
    ["--fortunes", "/x", "--", "true"], ["--nonsense"],
  ])
  func wrongCommandLinesAreUsage(arguments: [String]) throws {
    #expect(try RunningProgram.run(try Programs.begat(), ["signature"] + arguments).status == .exited(code: 64))
  }
}
