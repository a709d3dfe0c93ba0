import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat connect` with sockets of messages, while it waits for a peer, and with one family of addresses.
@Suite(.timeLimit(.minutes(30)))
struct ConnectMessageTests {
  private static let kinds = [[], ["--udp"], ["--seqpacket"]]

  @Test(arguments: kinds)
  func bothEndsSpeak(kind: [String]) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("socket")
    let words = kind + ["--linger", "5s", path]
    let waiting = try startBegat("connect", words: ["--listen"] + words, input: .text("answer\n"))
    #expect(eventually { directory.exists("socket") }, "\(waiting.errors.text)")
    var asking = try RunningProgram.run(try Programs.begat(), ["connect"] + words, input: .text("question\n"))
    // The socket has its name a moment before it listens.
    while asking.errors.text.contains("refused"), !waiting.hasEnded {
      asking = try RunningProgram.run(try Programs.begat(), ["connect"] + words, input: .text("question\n"))
    }
    #expect(asking.status == .exited(code: 0) && asking.output.text == "answer\n", "\(asking.errors.text)")
    #expect(try waiting.awaitEnd() == .exited(code: 0) && waiting.output.text == "question\n")
    #expect(!directory.exists("socket"))
  }

  @Test func datagramsGoToAService() throws {
    let peer = try RunningProgram(
      try Programs.tool("python3"),
      [
        "-c",
        """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print("port", s.getsockname()[1], flush=True)
        for _ in range(2):
            d, a = s.recvfrom(100000); print(len(d), flush=True); s.sendto(b"%d\\n" % len(d), a)
        """,
      ])
    let port = String(try peer.output.awaitLines(containing: "port ")[0].dropFirst(5))
    // An input without a byte is one empty datagram, as some services want it.
    for (text, length) in [("", "0\n"), ("four", "4\n")] {
      let asked = try RunningProgram.run(
        try Programs.begat(), ["connect", "--udp", "--linger", "3s", "127.0.0.1", port], input: .text(text))
      #expect(asked.status == .exited(code: 0) && asked.output.text == length, "\(asked.errors.text)")
    }
    #expect(try peer.awaitEnd() == .exited(code: 0))
  }

  @Test func aClosedPortRefuses() throws {
    // Bound, so that no other test gets it, and connected elsewhere, so that it refuses.
    let closed = try RunningProgram(
      try Programs.tool("python3"),
      [
        "-c",
        """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); s.connect(("127.0.0.2", 9))
        print("port", s.getsockname()[1], flush=True); sys.stdin.read()
        """,
      ], input: .pipe)
    let port = String(try closed.output.awaitLines(containing: "port ")[0].dropFirst(5))
    let refused = try runBegat("connect", "--udp", "127.0.0.1", port)
    #expect(refused.status == .exited(code: 1))
    #expect(refused.errors.text == "begat connect: 127.0.0.1:\(port): Connection refused\n")
  }

  /// A peer without a name cannot be answered, so that no input is sent.
  @Test func aPeerWithoutANameIsHeard() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("socket")
    let waiting = try startBegat("connect", words: ["--listen", "--udp", path], input: .text("typed\n"))
    #expect(eventually { directory.exists("socket") }, "\(waiting.errors.text)")
    _ = try RunningProgram.tool(
      "python3",
      [
        "-c",
        "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(sys.argv[1])\n"
          + "for m in (b'one ', b'two '): s.send(m)", path,
      ])
    #expect(try waiting.awaitEnd() == .exited(code: 0), "\(waiting.errors.text)")
    #expect(waiting.output.text == "one two " && waiting.errors.text == "")
  }

  /// Messages that other senders sent before the socket was connected are dropped.
  @Test func onlyTheFirstPeerIsHeard() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("socket")
    let waiting = try startBegat("connect", words: ["--listen", "--udp", path], input: .nothing)
    #expect(eventually { directory.exists("socket") }, "\(waiting.errors.text)")
    let script = """
      import socket, sys
      path = sys.argv[1]
      def named(name):
          s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(path + name); return s
      a, b = named("a"), named("b")
      for s, m in ((a, b"a1 "), (b, b"b "), (a, b"a2 ")): s.sendto(m, path)
      print("sent", flush=True)
      sys.stdin.read()
      """
    let peers = try waiting.whileStopped {
      let peers = try RunningProgram(try Programs.tool("python3"), ["-c", script, path], input: .pipe)
      _ = try peers.output.awaitLines(containing: "sent")
      return peers
    }
    #expect(try waiting.awaitEnd() == .exited(code: 0), "\(waiting.errors.text)\(peers.errors.text)")
    #expect(waiting.output.text == "a1 a2 ")
  }

  @Test(arguments: [false, true])
  func aPeerThatIsGoneIsHeard(removesItsFile: Bool) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("socket")
    let waiting = try startBegat("connect", words: ["--listen", "--udp", path], input: .text("typed\n"))
    #expect(eventually { directory.exists("socket") }, "\(waiting.errors.text)")
    let script = """
      import os, socket, sys
      path, removes = sys.argv[1], sys.argv[2] == "true"
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(path + "a")
      for m in (b"one ", b"two "): s.sendto(m, path)
      s.close()
      if removes: os.unlink(path + "a")
      """
    _ = try waiting.whileStopped { try RunningProgram.tool("python3", ["-c", script, path, "\(removesItsFile)"]) }
    #expect(try waiting.awaitEnd() == .exited(code: 0), "\(waiting.errors.text)")
    #expect(waiting.output.text == "one two " && waiting.errors.text == "")
  }

  /// One that always has a message waiting.
  @Test func aPeerThatNeverPausesIsHeard() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("socket")
    let waiting = try startBegat("connect", words: ["--listen", "--udp", path], input: .nothing)
    #expect(eventually { directory.exists("socket") }, "\(waiting.errors.text)")
    let script = """
      import socket, sys
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1] + "a"); s.connect(sys.argv[1])
      while True: s.send(b"line\\n")
      """
    let peer = try RunningProgram(try Programs.tool("python3"), ["-c", script, path])
    #expect(eventually(within: .seconds(20)) { waiting.output.text.utf8.count > 50_000 }, "\(waiting.errors.text)")
    peer.kill()
    waiting.kill()
  }

  @Test(arguments: kinds, [Signal.terminate, .interrupt])
  func aSignalLeavesNoFile(kind: [String], signal: Signal) throws {
    let directory = try TemporaryDirectory()
    let waiting = try startBegat("connect", words: ["--listen"] + kind + [directory.path("socket")], input: .nothing)
    #expect(eventually { directory.exists("socket") }, "\(waiting.errors.text)")
    try waiting.send(signal)
    #expect(try waiting.awaitEnd() == .killed(by: signal, dumpedCore: false))
    #expect(!directory.exists("socket") && waiting.errors.text == "")
  }

  @Test func anotherServersFileIsLeftAlone() throws {
    let directory = try TemporaryDirectory()
    try directory.write("", to: "socket")
    let refused = try runBegat("connect", "--listen", directory.path("socket"))
    #expect(refused.status == .exited(code: 1) && refused.errors.text.contains("Address already in use"))
    #expect(directory.exists("socket"))
  }

  @Test func oneFamilyIsUsed() throws {
    let none = try runBegat("connect", "-6", "127.0.0.1", "1")
    #expect(none.status == .exited(code: 1) && none.errors.text == "begat connect: 127.0.0.1: no IPv6 address\n")
    let other = try runBegat("connect", "-4", "localhost", "1")
    #expect(other.errors.text == "begat connect: connect 127.0.0.1:1: Connection refused\n")
  }

  @Test(arguments: [
    ["-4", "./socket"], ["--seqpacket", "localhost", "1"], ["--udp", "--seqpacket", "./socket"],
    ["--udp", "--crlf", "localhost", "1"], ["--listen", "--timeout", "1s", "localhost", "1"],
  ])
  func optionsThatContradictAreUsage(words: [String]) throws {
    #expect(try RunningProgram.run(try Programs.begat(), ["connect"] + words).status == .exited(code: 64))
  }

  @Test func aFileIsNotCopiedToItselfForever() throws {
    let directory = try TemporaryDirectory()
    let script = """
      cd '\(directory.path)'; ulimit -f 2000; echo x > f; "$0" pipe cat < f >> f; echo $?; cat f
      "$0" connect ./nowhere < f >> f; echo $?
      """
    let shown = try RunningProgram.run(try Programs.tool("bash"), ["-c", script, try Programs.begat()])
    #expect(shown.output.text == "1\nx\n1\n")
    #expect(shown.errors.lines.count == 2 && shown.errors.lines.allSatisfy { $0.contains("is the output itself") })
  }
}

private func startBegat(_ command: String, words: [String], input: RunningProgram.Input) throws -> RunningProgram {
  try RunningProgram(try Programs.begat(), [command] + words, input: input)
}
