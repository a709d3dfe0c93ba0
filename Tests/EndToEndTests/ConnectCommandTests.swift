import Foundation
import Testing
@_spi(Begat) import UnixCore

/// `begat connect` with peers that half-close, break off, or send more than any buffer holds.
@Suite(.timeLimit(.minutes(30)))
struct ConnectCommandTests {
  @Test(arguments: ["< IN > OUT", "< IN | cat > OUT", "- < IN > OUT", "- < IN | cat > OUT"])
  func connectCarriesAllBothWaysAtOnce(by streams: String) throws {
    let directory = try TemporaryDirectory()
    let sent = directory.path("sent")
    _ = try RunningProgram.tool(
      "python3", ["-c", "import os, sys; open(sys.argv[1], 'wb').write(os.urandom(1 << 24) * 4)", sent])
    let peer = try Peer(
      """
      mine = open(sys.argv[1], "rb").read()[::-1]
      def send(): c.sendall(mine); c.shutdown(socket.SHUT_WR)
      sender = threading.Thread(target=send)
      sender.start()
      received = all_of(c)
      sender.join()
      print(hashlib.sha256(received).hexdigest(), hashlib.sha256(mine).hexdigest())
      """, sent)
    // A dash: through a pipe at the input too.
    var command = streams.replacingOccurrences(of: "OUT", with: directory.path("received"))
    let begat = "\(try Programs.begat()) connect 127.0.0.1 \(peer.port) "
    if command.hasPrefix("- < IN") {
      command = "cat \(sent) | " + begat + command.dropFirst(6)
    } else {
      command = begat + command.replacingOccurrences(of: "IN", with: sent)
    }
    _ = try RunningProgram.tool("bash", ["-o", "pipefail", "-c", command])
    let digests = try peer.lines()[0].split(separator: " ").map(String.init)
    func digest(_ name: String) throws -> String {
      String(try RunningProgram.tool("sha256sum", [directory.path(name)]).output.text.prefix(64))
    }
    #expect(try digests == [digest("sent"), digest("received")])
  }

  @Test func connectPassesThePeersEndOnAndSendsTheRest() throws {
    let peer = try Peer(
      """
      c.sendall(b"enough said\\n"); c.shutdown(socket.SHUT_WR)
      print(all_of(c))
      """)
    let connect = try startBegat("connect", "127.0.0.1", peer.port, "--linger", "forever", input: .pipe)
    // The reader of the output finds its end while the input still goes on.
    #expect(connect.output.awaitEnd(within: .seconds(10)))
    #expect(connect.output.text == "enough said\n")
    try connect.write("last words\n")
    connect.endInput()
    #expect(try connect.awaitEnd() == .exited(code: 0))
    #expect(try peer.lines() == [#"b'last words\n'"#])
  }

  @Test func connectEndsInSilenceAfterThePeersEnd() throws {
    let peer = try Peer(#"c.sendall(b"bye\n"); c.shutdown(socket.SHUT_WR); all_of(c)"#)
    let connect = try startBegat("connect", "127.0.0.1", peer.port, "--linger", "10ms", input: .pipe)
    #expect(try connect.awaitEnd() == .exited(code: 0))
    #expect(connect.output.text == "bye\n")
  }

  @Test func connectSendsLinesWithCRLF() throws {
    let peer = try Peer(#"print(all_of(c)); c.sendall(b"one\ntwo\r\n")"#)
    let connect = try runBegat("connect", "--crlf", "127.0.0.1", peer.port, input: .text("GET\nHost: x\r\n\n"))
    #expect(connect.status == .exited(code: 0))
    #expect(try peer.lines() == [#"b'GET\r\nHost: x\r\n\r\n'"#])
    // What comes stays as it is.
    #expect(connect.output.text == "one\ntwo\r\n")
  }

  @Test func connectSaysThatTheConnectionBroke() throws {
    let peer = try Peer(
      """
      c.sendall(b"half a"); c.recv(1)
      c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); c.close()
      """)
    let connect = try startBegat("connect", "127.0.0.1", peer.port, input: .pipe)
    #expect(connect.output.wait(within: .seconds(10)) { $0 == "half a" })
    try connect.write("x")
    #expect(try connect.awaitEnd() == .exited(code: 1))
    #expect(connect.errors.lines == ["begat connect: 127.0.0.1:\(peer.port): Connection reset by peer"])
  }

  @Test func connectEndsWithTheReaderOfItsOutput() throws {
    let peer = try Peer("try:\n    while True: c.sendall(bytes(65536))\nexcept OSError: print('gone')")
    let line = "\(try Programs.begat()) connect 127.0.0.1 \(peer.port) | head -c 5 | wc -c"
    #expect(try RunningProgram.tool("bash", ["-c", line]).output.text == "5\n")
    #expect(try peer.lines() == ["gone"])
  }

  @Test func connectTalksToSocatAndNc() throws {
    let socat = try RunningProgram(
      try Programs.tool("socat"), ["-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:tr a-z A-Z"])
    let listens = try socat.errors.awaitLines(containing: "listening on")[0]
    let port = try #require(listens.split(separator: ":").last.map(String.init))
    #expect(try runBegat("connect", "127.0.0.1", port, input: .text("one\ntwo")).output.text == "ONE\nTWO")
    #expect(try socat.awaitEnd() == .exited(code: 0))

    let nc = try RunningProgram(try Programs.tool("nc"), ["-nvlN", "127.0.0.1", "0"], input: .text("from nc"))
    let line = try nc.errors.awaitLines(containing: "Listening on")[0]
    let ncPort = try #require(line.split(separator: " ").last.map(String.init))
    let connect = try runBegat("connect", "127.0.0.1", ncPort, input: .text("to nc"))
    #expect(connect.status == .exited(code: 0) && connect.output.text == "from nc")
    #expect(try nc.awaitEnd() == .exited(code: 0) && nc.output.text == "to nc")
  }

  @Test func connectServesATerminal() throws {
    let peer = try Peer(
      #"""
      c.sendall(b"Name? ")
      name = c.recv(100)
      c.sendall(b"\x1b[1mHello\x1b[m " + name)
      """#)
    let script = """
      set timeout 20
      log_user 0
      spawn -noecho \(try Programs.begat()) connect 127.0.0.1 \(peer.port)
      expect "Connected to 127.0.0.1:\(peer.port)"
      expect "Name? "
      send -- "guest\\r"
      expect -ex "\u{1b}\\[1mHello"
      # It ends when the peer does, with the terminal still there.
      expect eof { puts "ended [lindex [wait] 3]" }
      """
    let terminal = try RunningProgram.tool("expect", ["-c", script])
    #expect(terminal.output.text == "ended 0\n", "\(terminal.errors.text)")
  }

  @Test func connectRefusesWrongArguments() throws {
    #expect(try runBegat("connect", "--linger", "soon", "127.0.0.1", "1").status == .exited(code: 64))
    #expect(try runBegat("connect", "--receive-only", "--crlf", "127.0.0.1", "1").status == .exited(code: 64))
  }

  /// As every filter; whoever ignores SIGPIPE is told instead.
  @Test func connectEndsInSilenceWhenItsReaderLeaves() throws {
    for (start, end) in [("", "141"), ("trap '' PIPE; ", "1")] {
      let peer = try Peer(
        """
        try:
            while True: c.sendall(b"y\\n" * 4096)
        except OSError: pass
        """)
      let script = start + "\"$0\" connect 127.0.0.1 \(peer.port) < /dev/null | head -n 1; echo ${PIPESTATUS[0]}"
      let shown = try RunningProgram.tool("bash", ["-c", script, try Programs.begat()])
      #expect(shown.output.lines == ["y", end])
      #expect(shown.errors.text == (start.isEmpty ? "" : "begat connect: write standard output: Broken pipe\n"))
    }
  }
}
