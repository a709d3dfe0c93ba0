import Glibc
import Testing
@_spi(Begat) import UnixCore

/// `begat get` against servers that break off, lie, or never end: it ends, within its limits, and says why.
@Suite(.timeLimit(.minutes(30)))
struct GetHostileServerTests {
  @Test(arguments: [
    ("/truncated", "100 bytes, transfer closed with 900 bytes remaining"),
    ("/chunk-missing", "5 bytes, transfer closed"),
    ("/chunk-garbage", "chunked-encoding"), ("/chunk-overflow", "chunked-encoding"),
    ("/chunk-negative", "chunked-encoding"), ("/length-overflow", "the announced length is no number"),
    ("/length-negative", "not kept, "), ("/two-lengths", "two different lengths"),
    ("/endless-headers", "headers of more than 256 KiB"),
    ("/endless-header", "the server sends a header that is too long"),
    ("/endless-100", "headers of more than 256 KiB"), ("/endless-103", "headers of more than 256 KiB"),
    ("/long-header", "the server sends a header that is too long"), ("/nul", "not kept, "),
    ("/no-status-line", "HTTP/0.9"),
    ("/garbage", "HTTP/0.9"), ("/999", "999 Odd, 4 bytes not kept"), ("/99", "response code"),
    ("/000", "response code"), ("/99999", "response code"), ("/101", "101 Switching"),
    ("/reset", "Connection reset by peer"), ("/reset-later", "10 bytes, Recv failure: Connection reset"),
    ("/gone", "Empty reply"), ("/missing-big", "404 Not Found, "), ("/escape-missing", "404 No\\x1b[2J"),
    ("/splitting", "404 Not Found, 44 bytes not kept"), ("/header-forged", "404 Not Found"),
  ])
  func isAFailureWithItsReason(document: String, words: String) throws {
    let server = try WebServer()
    let got = try runBegat("get", server.place, document, "/a")
    #expect(got.status == .exited(code: 1))
    #expect(got.errors.lines.count == 2 && got.errors.lines[0].hasPrefix("begat get: \(document): "))
    #expect(got.errors.text.contains(words) && !got.errors.text.contains("\u{1b}"), "\(got.errors.text)")
    // The next document comes all the same, and nothing of a failure with it.
    let partial = ["/truncated": String(repeating: "x", count: 100), "/chunk-missing": "hello"]
    let begun = partial[document] ?? (document == "/reset-later" ? String(repeating: "x", count: 10) : "")
    #expect(got.output.text == begun + "this is a\n")
  }

  /// libcurl takes it for a whole answer without a body.
  @Test(arguments: ["HTTP/1.1 200 OK\\r\\n", "HTTP/1.1 200 OK\\r\\nX: y\\r\\n"])
  func anAnswerThatEndsInItsHeadIsAFailure(head: String) throws {
    let directory = try TemporaryDirectory()
    let old = try directory.write("old\n", to: "f")
    let peer = try Peer("c.recv(1000); c.sendall(b'\(head)'); c.close()")
    let got = try runBegat("get", "-o", old, "127.0.0.1:\(peer.port)", "/x")
    #expect(got.status == .exited(code: 1))
    #expect(got.errors.text == "begat get: /x: 200 OK, 0 bytes not kept, the connection has ended within the headers\n")
    #expect(try RunningProgram.tool("cat", [old]).output.text == "old\n")
  }

  /// A path is any bytes; one that a redirect leads to is asked for by itself.
  @Test func aPathIsSentByteForByte() throws {
    let peer = try Peer(
      """
      first = c.recv(1000).split(b"\\r\\n")[0]
      c.sendall(b"HTTP/1.1 302 Found\\r\\nLocation: /next\\r\\nContent-Length: 0\\r\\n\\r\\n")
      print(first, c.recv(1000).split(b"\\r\\n")[0])
      c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
      """)
    let script = "\"$0\" get -L 127.0.0.1:\(peer.port) $'/caf\\xc3\\xa9/\\xff%20#part'"
    let got = try RunningProgram.run(try Programs.tool("bash"), ["-c", script, try Programs.begat()])
    #expect(got.status == .exited(code: 0), "\(got.errors.text)")
    #expect(try peer.lines() == [#"b'GET /caf\xc3\xa9/\xff%20 HTTP/1.1' b'GET /next HTTP/1.1'"#])
  }

  @Test func oneFamilyOfAddressesIsUsed() throws {
    let server = try WebServer()
    #expect(try runBegat("get", "-4", "localhost:\(server.port)", "/a").output.text == "this is a\n")
    #expect(try runBegat("get", "-6", server.place, "/a").status == .exited(code: 1))
    #expect(try runBegat("get", "-4", "-6", server.place, "/a").status == .exited(code: 64))
  }

  @Test(arguments: ["/silent", "/stops", "/drip", "/drip-headers", "/drip-line"])
  func isLeftWhenTheTimeIsUp(document: String) throws {
    let server = try WebServer()
    let watch = Stopwatch()
    let got = try runBegat("get", "--timeout", "1500ms", server.place, document)
    #expect(watch.elapsed >= .milliseconds(1500) && watch.elapsed < .seconds(15))
    #expect(got.status == .exited(code: 1) && got.errors.text.contains("timed out"), "\(got.errors.text)")
  }

  @Test func silenceEndsIt() throws {
    let server = try WebServer()
    let got = try RunningProgram.run(try Programs.begat(), ["get", server.place, "/silent"], within: .seconds(60))
    #expect(got.errors.text == "begat get: /silent: less than a byte a second for 30 s\n")
    #expect(got.status == .exited(code: 1))
  }

  /// A listening socket whose backlog is full answers no connection.
  @Test func aConnectionThatIsNotAnsweredIsGivenUp() throws {
    let full = try RunningProgram(
      try Programs.tool("python3"),
      [
        "-c",
        """
        import socket, sys
        s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
        kept = []
        for n in range(4):
            c = socket.socket(); c.setblocking(False); kept.append(c); c.connect_ex(s.getsockname())
        print("port", s.getsockname()[1], flush=True)
        sys.stdin.read()
        """,
      ], input: .pipe)
    let port = try full.output.awaitLines(containing: "port ")[0].dropFirst(5)
    let watch = Stopwatch()
    let got = try runBegat("get", "--timeout", "1s", "127.0.0.1:\(port)", "/a", "/b", "/c", "/d")
    #expect(watch.elapsed < .seconds(8) && got.status == .exited(code: 1))
    #expect(got.errors.lines.count == 4 && got.errors.lines[0].contains("timed out"), "\(got.errors.text)")
    #expect(got.errors.lines[3] == "begat get: /d: not asked, as 127.0.0.1:\(port) was not reached")
  }

  @Test(arguments: ["/endless", "/endless-chunks", "/big", "/te-bomb"])
  func whatIsTooLongIsCutOff(document: String) throws {
    let server = try WebServer()
    let got = try runBegat("get", "--max-size", "1M", server.place, document)
    #expect(got.status == .exited(code: 1) && got.errors.text.contains("longer than 1048576 bytes"))
    #expect(got.output.bytes.count <= 1 << 20)
    #expect(document != "/big" || got.output.bytes.isEmpty, "what is announced as too long is not begun")
  }

  @Test func nothingIsUnpackedThatWasNotAskedFor() throws {
    let server = try WebServer()
    let got = try runBegat("get", server.place, "/bomb")
    #expect(got.status == .exited(code: 0) && got.output.bytes.count < 1 << 20)
    #expect(server.log.allSatisfy { !$0.contains("Encoding") })
  }

  @Test func whatComesAfterADocumentIsNotTheNext() throws {
    let server = try WebServer()
    let got = try runBegat("get", server.place, "/more-than-said", "/b")
    #expect(got.output.text == "a\nthis is b\n", "\(got.output.text) \(got.errors.text)")
  }

  @Test func memoryDoesNotGrowWithTheDocument() throws {
    let server = try WebServer()
    let script = """
      import os, resource, subprocess, sys
      status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
      print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
      """
    func peak(_ document: String) throws -> Int {
      let python = try RunningProgram.run(
        try Programs.tool("python3"), ["-c", script, try Programs.begat(), "get", server.place, document],
        within: .seconds(120))
      let words = python.output.text.split(separator: " ")
      #expect(words.first == "0", "\(python.errors.text)")
      return Int(words.last?.dropLast() ?? "") ?? .max
    }
    #expect(try peak("/gibibyte") - peak("/a") < 16 << 10, "KiB")
  }
}
