import Foundation
import Glibc
import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// `begat get`: perlipc's webget, against servers that are right.
@Suite(.timeLimit(.minutes(30)))
struct GetCommandTests {
  @Test func fetchesFilesOfPythonsServer() throws {
    let directory = try TemporaryDirectory()
    let text = try directory.write(String(repeating: "a line\n", count: 100_000), to: "page one.html")
    let server = try RunningProgram(
      try Programs.tool("python3"),
      ["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", directory.path, "0"])
    let line = try server.output.awaitLines(containing: "Serving HTTP")[0]
    let port = try #require(line.firstMatch(of: /port (\d+)/)).output.1
    let got = try runBegat("get", "localhost:\(port)", "page%20one.html", "/nosuch", "/")
    #expect(got.status == .exited(code: 1))
    #expect(got.output.text.hasPrefix(try String(contentsOfFile: text, encoding: .utf8) + "<!DOCTYPE"))
    #expect(got.output.text.contains("page%20one.html") && !got.output.text.contains("404"))
    #expect(got.errors.lines[0] == "/page%20one.html: 200 OK, 700000 bytes")
    #expect(got.errors.lines[1].hasPrefix("begat get: /nosuch: 404 File not found, "))
  }

  /// perlipc's program, which prints what comes, with the head before it.
  @Test func bringsWhatPerlipcsWebgetBrings() throws {
    let server = try WebServer()
    let webget = """
      use strict; use IO::Socket; my $EOL = "\\015\\012"; my $BLANK = $EOL x 2;
      my ($host, $port, @documents) = @ARGV;
      for my $document (@documents) {
        my $remote = IO::Socket::INET->new(Proto => "tcp", PeerAddr => $host, PeerPort => $port) or die "$!";
        $remote->autoflush(1);
        print $remote "GET $document HTTP/1.0" . $BLANK;
        while (<$remote>) { print }
        close $remote;
      }
      """
    let theirs = try runPerl(webget, "127.0.0.1", server.port, "/until-end", "/close", "/until-end")
    let ours = try runBegat("get", "--include", server.place, "/until-end", "/close", "/until-end")
    #expect(ours.output.text == theirs && ours.status == .exited(code: 0))
  }

  @Test func takesSeveralDocumentsOverOneConnection() throws {
    let server = try WebServer()
    let got = try runBegat("get", server.place, "/a", "b", "/missing", "/none", "/empty", "/chunked", "/a")
    #expect(Array(got.output.bytes.prefix(20)) == Array("this is a\nthis is b\n".utf8))
    #expect(got.output.bytes.count == 30 + WebServer.big && got.status == .exited(code: 1))
    #expect(eventually { server.connections == 1 })
    #expect(
      got.errors.lines == [
        "/a: 200 OK, 10 bytes", "/b: 200 OK, 10 bytes", "begat get: /missing: 404 Not Found, 13 bytes not kept",
        "/none: 204 No Content, 0 bytes", "/empty: 200 OK, 0 bytes", "/chunked: 200 OK, \(WebServer.big) bytes",
        "/a: 200 OK, 10 bytes",
      ])
    let head = "Accept:*/* Host:\(server.place) User-Agent:begat/"
    #expect(server.log.filter { $0.hasPrefix("GET ") }.allSatisfy { $0.contains(head) }, "\(server.log)")
  }

  @Test func connectsAgainWhereTheServerCloses() throws {
    let server = try WebServer()
    let got = try runBegat("get", server.place, "/a", "/close", "/silently", "/silently", "/until-end", "/b")
    #expect(got.output.text == "this is a\nclosing\nsilent close\nsilent close\nold\nthis is b\n")
    #expect(got.status == .exited(code: 0))
    #expect(eventually { server.connections == 5 })
  }

  @Test func bytesAreNotTouched() throws {
    let server = try WebServer()
    let all = (0..<WebServer.big).map { UInt8(truncatingIfNeeded: $0) }
    for document in ["/big", "/chunked"] {
      let got = try runBegat("get", "--quiet", server.place, document)
      #expect(got.output.bytes == all && got.errors.text == "" && got.status == .exited(code: 0), "\(document)")
    }
  }

  @Test func aTerminalGetsNoControlBytes() throws {
    let server = try WebServer()
    let shown = try RunningProgram.run(
      try Programs.tool("script"),
      ["-qec", "\(try Programs.begat()) get -i --any-status \(server.place) /utf8 /escapes", "/dev/null"])
    #expect(shown.status == .exited(code: 0))
    #expect(shown.output.text.contains("grüß dich\r\n\\x1b[2J\\x1b]0;owned\\x07\tend\\x9b\r\n"), "\(shown.output.text)")
    #expect(!shown.output.bytes.contains(0x1b) && !shown.output.bytes.contains(7))
    #expect(shown.output.text.contains("X: \\x1b[2J"))
    let piped = try runBegat("get", "-i", server.place, "/escapes")
    #expect(piped.output.text.contains("X: \u{1b}[2J") && !piped.errors.text.contains("\u{1b}"))
  }

  @Test func aTerminalIsToldOfALongWait() throws {
    let server = try WebServer()
    let shown = try RunningProgram(
      try Programs.tool("script"), ["-qec", "\(try Programs.begat()) get \(server.place) /silent", "/dev/null"])
    #expect(shown.output.wait(within: .seconds(10)) { $0.contains("[Waiting for \(server.place) /silent, 1 s]") })
    let late = try RunningProgram.run(
      try Programs.tool("script"), ["-qec", "\(try Programs.begat()) get \(server.place) /late", "/dev/null"])
    #expect(late.output.text.hasSuffix(" s]\r\u{1b}[Klate\r\n/late: 200 OK, 5 bytes\r\n"), "\(late.output.text)")
  }

  @Test func showsHeadsAndPagesOfFailuresWhereAsked() throws {
    let server = try WebServer()
    #expect(
      try runBegat("get", "-i", server.place, "/missing").output.text
        == "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n")
    #expect(
      try runBegat("get", "-i", "--any-status", server.place, "/missing").output.text
        == "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nnothing here\n")
    #expect(try runBegat("get", "--any-status", server.place, "/missing").output.text == "nothing here\n")
    let head = try runBegat("get", "--head", server.place, "/a", "/b")
    #expect(head.output.text == String(repeating: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", count: 2))
    #expect(head.status == .exited(code: 0) && server.log.filter { $0.hasPrefix("HEAD ") }.count == 2)
    let others = try runBegat("get", "--head", server.place, "/chunked-small", "/missing", "/empty", "/none")
    #expect(
      others.output.text == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        + "HTTP/1.1 204 No Content\r\n\r\n")
    #expect(others.status == .exited(code: 1))
    #expect(try runBegat("get", "-i", server.place, "/one-100").output.text.hasPrefix("HTTP/1.1 200 OK"))
  }

  @Test func aPartIsADocumentOnlyWhereItWasAskedFor() throws {
    let server = try WebServer()
    let words = "/part: 206 Partial Content, 6 bytes"
    let why = "a part of the document, which was not asked for"
    let refused = try runBegat("get", server.place, "/part", "/a")
    #expect(refused.output.text == "this is a\n" && refused.status == .exited(code: 1))
    #expect(refused.errors.lines[0] == "begat get: \(words) not kept, \(why)")
    let kept = try runBegat("get", "--any-status", server.place, "/part")
    #expect(kept.output.text == "his is" && kept.status == .exited(code: 1))
    #expect(kept.errors.text == "begat get: \(words), \(why)\n")
    let asked = try runBegat("get", "--header", "range: bytes=1-6", server.place, "/part")
    #expect(asked.output.text == "his is" && asked.status == .exited(code: 0) && asked.errors.text == words + "\n")
    #expect(try runBegat("get", "--header", "Range:", server.place, "/part").status == .exited(code: 1))
  }

  @Test func noProxyStandsBetween() throws {
    let server = try WebServer()
    let nobody = "http://127.0.0.1:1"
    let got = try RunningProgram.run(
      try Programs.begat(), ["get", server.place, "/a"],
      environment: ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"].map { "\($0)=\(nobody)" })
    #expect(got.output.text == "this is a\n" && got.status == .exited(code: 0), "\(got.errors.text)")
  }

  @Test func anIPv6AddressMayHaveAZone() throws {
    let server = try WebServer(at: "::1")
    let got = try runBegat("get", "[::1%lo]:\(server.port)", "/a")
    #expect(got.output.text == "this is a\n" && got.status == .exited(code: 0), "\(got.errors.text)")
    // Nobody else's interface is its name.
    #expect(try server.program.output.awaitLines(containing: "Host:[::1]:\(server.port) ").count == 1)
  }

  @Test func emptyDocumentsComeInAllWays() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "old")
    let got = try runBegat("get", "-o", old, "-o", "-", server.place, "/empty", "/none")
    #expect(got.status == .exited(code: 0) && got.output.text == "")
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "")
  }

  @Test func followsRedirectsOnlyWhereAsked() throws {
    let server = try WebServer()
    let told = try runBegat("get", server.place, "/moved", "/to-escape")
    #expect(told.status == .exited(code: 1) && told.output.text == "")
    #expect(told.errors.lines[0] == "begat get: /moved: 301 Moved Permanently to /a, 6 bytes not kept")
    #expect(told.errors.lines[1].contains("302 Found to /\\x1b[2J"))
    let followed = try runBegat("get", "-L", "-i", server.place, "/moved", "/moved-far")
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    #expect(followed.output.text == "\(head)this is a\n\(head)this is b\n" && followed.status == .exited(code: 0))
    for (document, words) in [
      ("/loop", "Maximum (10) redirects"), ("/to-file", "302 Found to file:///etc/passwd"), ("/to-gopher", "gopher"),
      ("/moved-forged", "404 Not Found"), ("/moved-plain", "Failed to connect"),
      ("/moved-big-kept", "a redirect with an endless body"),
      ("/to-user", "302 Found to http://user@localhost:\(server.port)/b, 0 bytes not kept, a URL with a user name"),
    ] {
      let refused = try runBegat("get", "-L", "--timeout", "15s", server.place, document)
      #expect(refused.status == .exited(code: 1) && refused.output.text == "", "\(document)")
      #expect(refused.errors.text.contains(words), "\(document): \(refused.errors.text)")
    }
    #expect(server.log.filter { $0.contains(" /loop ") }.count == 11)
  }

  @Test func sendsHeadersThatAreAskedFor() throws {
    let server = try WebServer()
    _ = try runBegat(
      "get", "--header", "Host: a.example", "--header", "X-One:  1", "--header", "Accept:", server.place, "/a")
    #expect(server.log.last?.hasPrefix("GET /a Accept: Host:a.example User-Agent:begat/") == true, "\(server.log)")
    #expect(server.log.last?.contains(" X-One:1") == true)
  }

  @Test func reachesIPv6AndUnixSockets() throws {
    let directory = try TemporaryDirectory()
    for (place, host) in [
      ("::1", nil), (directory.path("socket"), "localhost"), (directory.path("grüß \\x5c dich"), "localhost"),
      ("@begat-e2e-\(getpid())", "localhost"),
    ] {
      let server = try WebServer(at: place)
      let got = try runBegat("get", server.place, "/a", "/b")
      #expect(got.output.text == "this is a\nthis is b\n", "\(got.errors.text)")
      // libcurl 7.88 does not find again what it has of an abstract socket.
      #expect(place.hasPrefix("@") || eventually { server.connections == 1 })
      #expect(server.log.contains { $0.contains("Host:\(host ?? server.place) ") }, "\(server.log)")
    }
  }

  @Test func takesURLsAndNamesOfPorts() throws {
    let server = try WebServer()
    #expect(try runBegat("get", "http://\(server.place)/a").output.text == "this is a\n")
    #expect(try runBegat("get", "HTTP://\(server.place)", "/a", "/b").output.text == "this is a\nthis is b\n")
    #expect(try runBegat("get", "http://\(server.place)").output.text == "first page\n")
    #expect(try runBegat("get", "127.0.0.1:no-such-service(\(server.port))", "/a").output.text == "this is a\n")
    #expect(try runBegat("get", server.place, "/../a/./b%2e?q=#x").status == .exited(code: 1))
    #expect(server.log.last?.hasPrefix("GET /../a/./b%2e?q= ") == true)
  }

  @Test func trustsOnlyKnownCertificates() throws {
    let directory = try TemporaryDirectory()
    let pair = directory.path("pair.pem")
    _ = try RunningProgram.tool(
      "openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=IP:127.0.0.1", "-keyout", directory.path("key"), "-out", directory.path("certificate"),
      ])
    _ = try RunningProgram.tool("sh", ["-c", "cat \"$0/key\" \"$0/certificate\" > \"$0/pair.pem\"", directory.path])
    let server = try WebServer(certificate: pair)
    let url = "https://\(server.place)"
    let refused = try runBegat("get", url, "/a")
    #expect(refused.status == .exited(code: 1) && refused.output.text == "")
    #expect(refused.errors.text.contains("self-signed certificate"), "\(refused.errors.text)")
    #expect(server.log.filter { $0.hasPrefix("GET") } == [])
    let taken = try runBegat("get", "--ca-file", directory.path("certificate"), url, "/a", "/b")
    #expect(taken.output.text == "this is a\nthis is b\n" && taken.status == .exited(code: 0), "\(taken.errors.text)")
    // In the clear, nobody goes on.
    let down = try runBegat("get", "-L", "--ca-file", directory.path("certificate"), url, "/moved-plain")
    #expect(down.status == .exited(code: 1) && down.errors.text.contains("\"http\""), "\(down.errors.text)")
    #expect(try runBegat("get", "--ca-file", "/nowhere", url, "/a").status == .exited(code: 1))
    #expect(try runBegat("get", url, "/a").status == .exited(code: 1))
    #expect(try runBegat("get", "--insecure", url, "/a").output.text == "this is a\n")
    let other = try runBegat(
      "get", "--ca-file", directory.path("certificate"), "https://localhost:\(server.port)", "/a")
    #expect(other.status == .exited(code: 1), "another name than the certificate's")
  }

  @Test(arguments: [
    ["HOST", "/a b"], ["HOST", "/a\r\nX: y"], ["HOST", "/a\nb"], ["HOST", "/a\tb"], ["HOST", "/a\u{1b}[2J"],
    ["HOST", "/\u{7f}"], ["HOST", ""], ["HOST"], ["HOST", "http://elsewhere/"],
    ["--header", "X: a\r\nY: b", "HOST", "/"],
    ["--header", "no colon", "HOST", "/"], ["--header", "a b: c", "HOST", "/"], ["--header", ": c", "HOST", "/"],
    ["http://user:secret@HOST/a"], ["http:///a"], ["http://HOST/a", "/b"], ["user@HOST", "/"], ["@", "/"],
    ["-o", "\u{FFFD}", "HOST", "/"],
    ["--ca-file", "\u{FFFD}", "HOST", "/"], ["/\u{FFFD}", "/"], ["--header", "X: \u{FFFD}", "HOST", "/"],
    ["HOST/..", "/"],
    ["127.0.0.1:0", "/"], ["127.0.0.1:70000", "/"], ["-o", "f", "HOST", "/a", "/b"], ["--json", "HOST", "/a"],
    ["--json", "-o", "-", "HOST", "/a"], ["--timeout", "0", "HOST", "/"], ["--max-size", "x", "HOST", "/"],
    ["--max-size", "99999999999999999999", "HOST", "/"],
  ])
  func refusesWhatIsWrongBeforeItConnects(words: [String]) throws {
    let server = try WebServer()
    let got = try RunningProgram.run(
      try Programs.begat(), ["get"] + words.map { $0.replacing("HOST", with: server.place) })
    #expect(got.status == .exited(code: 64), "\(got.errors.text)")
    #expect(got.output.text == "" && !got.errors.text.contains("\u{1b}"))
    // What was asked now is the first that the server sees.
    #expect(try runBegat("get", server.place, "/a").status == .exited(code: 0))
    #expect(eventually { server.connections == 1 })
  }

  @Test func whoIsNotThereIsAskedOnce() throws {
    let directory = try TemporaryDirectory()
    let socket = directory.path("none")
    let got = try runBegat("get", socket, "/a", "/b")
    #expect(
      got.errors.lines == [
        "begat get: /a: connect \(socket): No such file or directory",
        "begat get: /b: not asked, as \(socket) was not reached",
      ])
    #expect(got.status == .exited(code: 1))
    #expect(try runBegat("get", "nosuch.invalid", "/a").errors.text.contains("esolv"))
  }

  @Test func outputThatCannotBeWrittenEndsIt() throws {
    let server = try WebServer()
    let shell = try RunningProgram.run(
      try Programs.tool("sh"),
      [
        "-c", "\"$0\" get $1 /a > /dev/full; echo $?; \"$0\" get $1 /a >&-; echo $?", try Programs.begat(),
        server.place,
      ])
    #expect(shell.output.text == "1\n1\n")
    #expect(shell.errors.lines.count == 2 && shell.errors.text.contains("standard output: No space left"))
    let stages = Pipeline(
      Program(path: try Programs.begat(), arguments: ["get", server.place, "/endless"]),
      Program(path: "/usr/bin/head", arguments: ["-c", "10"]))
    #expect(try stages.run(output: .null) == [.killed(by: .brokenPipe, dumpedCore: false), .exited(code: 0)])
  }

  /// Loaded when needed only, and missed with a word on what to install.
  @Test func onlyItNeedsTheLibrary() throws {
    let libraries = try RunningProgram.tool("ldd", [try Programs.begat()])
    #expect(libraries.output.lines(containing: "curl") == [])
    let directory = try TemporaryDirectory()
    try directory.write("no library\n", to: "libcurl.so.4")
    let got = try RunningProgram.run(
      try Programs.begat(), ["get", "127.0.0.1:1", "/"], environment: ["LD_LIBRARY_PATH=\(directory.path)"])
    #expect(got.status == .exited(code: 1))
    #expect(got.errors.text.contains("libcurl.so.4") && got.errors.text.contains("install the package libcurl4"))
  }
}
