import Glibc
import Testing
@_spi(Begat) import UnixCore

/// Unix sockets in directories of others, and those whom begatd finds there.
@Suite(.timeLimit(.minutes(30)))
struct SocketDirectoryTests {
  private static let isRoot = geteuid() == 0

  private func start(_ directory: TemporaryDirectory, _ paths: String..., lines: String = "") throws -> RunningProgram {
    let list = paths.map { "\"\($0)\"" }.joined(separator: ", ")
    let file = try directory.write(
      "[service.echo]\nserve = \"echo\"\nlisten-stream = [\(list)]\n\(lines)\n", to: "begatd.toml")
    return try RunningProgram(try Programs.begatd(), ["--config", file])
  }

  /// Its owner would have any file of root's: between bind(2) and chmod(2) the name can be made a link.
  @Test(.enabled(if: isRoot, "needs root to give directories away"), arguments: ["owner", "group", "ancestor"])
  func aDirectoryThatOthersControlIsRefused(kind: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write("secret", to: "victim", mode: 0o600)
    try directory.make("theirs")
    try directory.make("theirs/inner")
    let place = directory.path(kind == "ancestor" ? "theirs/inner" : "theirs")
    if kind == "group" {
      #expect(chown(directory.path("theirs"), 0, 34) == 0 && chmod(directory.path("theirs"), 0o775) == 0)
    } else {
      #expect(chown(directory.path("theirs"), 34, 34) == 0)
    }
    // It swaps the name for a link as fast as it can.
    let racer = try RunningProgram(
      try Programs.tool("setpriv"),
      [
        "--reuid=34", "--regid=34", "--clear-groups", "python3", "-c",
        """
        import os, sys, time
        place, victim = sys.argv[1:]
        print("races", flush=True)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                os.lstat(place + "/s")
                os.symlink(victim, place + "/l"); os.rename(place + "/l", place + "/s"); os.unlink(place + "/s")
            except OSError: pass
        """, place, directory.path("victim"),
      ])
    try racer.output.awaitLines(containing: "races")
    for _ in 0..<20 {
      let begatd = try start(directory, "\(place)/s", lines: "socket-user = \"backup\"\nsocket-mode = \"0660\"")
      #expect(try begatd.awaitEnd() == .exited(code: 78))
      #expect(begatd.errors.text.contains(kind == "group" ? "use chmod g-w" : "belongs to user 34"))
      #expect(begatd.errors.text.contains(directory.path("theirs")))
    }
    racer.kill()
    var facts = stat()
    #expect(stat(directory.path("victim"), &facts) == 0)
    #expect(facts.st_uid == 0 && facts.st_mode & 0o777 == 0o600)
  }

  /// Anyone may lock a directory that they may read.
  @Test func aLockOfOthersHoldsUpNothing() throws {
    let directory = try TemporaryDirectory()
    try directory.make("run")
    let script =
      "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); print('locked', flush=True); sys.stdin.read()"
    let words = [try Programs.tool("python3"), "-c", script, directory.path("run")]
    let other = ["--reuid=12345", "--regid=12345", "--clear-groups"]
    let holder =
      Self.isRoot
      ? try RunningProgram(try Programs.tool("setpriv"), other + words, input: .pipe)
      : try RunningProgram(words[0], Array(words.dropFirst()), input: .pipe)
    try holder.output.awaitLines(containing: "locked")
    let watch = Stopwatch()
    let begatd = try start(directory, directory.path("run/s"))
    try begatd.errors.awaitLines(containing: "is ready", within: .seconds(5))
    #expect(watch.elapsed < .seconds(3))
    #expect(try ask(directory.path("run/s"), "x") == [120])
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd() == .exited(code: 0))
    #expect(try directory.names() == ["begatd.toml", "run"])
  }

  @Test func aSecondBegatdStartsNoProgramOfTheFirst() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("s")
    let program = try directory.write("#!/bin/sh\nexit 3\n", to: "p", mode: 0o755)
    let first = try directory.write(
      "[service.p]\nexec = [\"\(program)\"]\nlisten-stream = [\"\(path)\"]\n", to: "first.toml")
    let begatd = try RunningProgram(try Programs.begatd(), ["--config", first])
    try begatd.errors.awaitLines(containing: "is ready")
    let second = try RunningProgram.run(try Programs.begatd(), ["--config", first])
    #expect(second.status == .exited(code: 1))
    #expect(second.errors.text.contains("bind \(path): another server is listening there"), "\(second.errors.text)")
    try begatd.send(.terminate)
    #expect(try begatd.awaitEnd() == .exited(code: 0))
    #expect(!begatd.errors.text.contains(" ms, "), "\(begatd.errors.text)")
  }

  @Test func twoSpellingsOfOnePathAreNamed() throws {
    let directory = try TemporaryDirectory()
    #expect(symlink(".", directory.path("link")) == 0)
    let begatd = try start(directory, directory.path("s"), directory.path("link/s"))
    #expect(try begatd.awaitEnd() != .exited(code: 0))
    // By the check of the configuration, or when it is bound.
    #expect(begatd.errors.text.contains(/is also at|the same service has it as/), "\(begatd.errors.text)")
    #expect(!begatd.errors.text.contains("another server"), "\(begatd.errors.text)")
    #expect(try directory.names() == ["begatd.toml", "link"])
  }

  /// Its listeners let go of the addresses as soon as they notice; the next begatd waits for that.
  @Test func afterAKillTheNextBegatdStartsAtOnce() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("s")
    let address = try FreePorts.addresses(1)[0]
    for _ in 0..<10 {
      let first = try start(directory, path, address)
      try first.errors.awaitLines(containing: "is ready")
      try first.send(.kill)
      let next = try start(directory, path, address)
      try next.errors.awaitLines(containing: "is ready")
      #expect(try ask(address, "x") == [120])
      try next.send(.terminate)
      #expect(try next.awaitEnd() == .exited(code: 0), "\(next.errors.text)")
      #expect(first.errors.awaitEnd(within: .seconds(5)))
    }
  }

  @Test func aStoppedListenerOfAKilledBegatdIsNamed() throws {
    let directory = try TemporaryDirectory()
    let address = try FreePorts.addresses(1)[0]
    let first = try start(directory, address)
    try first.errors.awaitLines(containing: "is ready")
    let listener = try #require(ProcessFacts.children(of: first.process).first).process
    defer { try? Signal.kill.send(to: listener) }
    try Signal(rawValue: SIGSTOP).send(to: listener)
    try first.send(.kill)
    let next = try start(directory, address)
    #expect(try next.awaitEnd() == .exited(code: 1))
    #expect(
      next.errors.text.contains("by begat-listener (process \(listener), which a killed begatd has left); stop it"),
      "\(next.errors.text)")
  }
}
