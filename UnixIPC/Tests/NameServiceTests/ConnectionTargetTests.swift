import Glibc
import NameService
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct ConnectionTargetTests {
  private func problem(_ place: String, _ port: String?) -> String? {
    do throws(ConnectionTarget.ParseError) {
      _ = try ConnectionTarget(place, port: port)
      return nil
    } catch { return error.description }
  }

  @Test(
    "is read and shown",
    arguments: [
      ("localhost", "80", .host("localhost", port: 80), "localhost:80"),
      ("127.0.0.1", "65535", .host("127.0.0.1", port: 65535), "127.0.0.1:65535"),
      ("[::1]", "7", .host("::1", port: 7), "[::1]:7"), ("::1", "7", .host("::1", port: 7), "[::1]:7"),
      ("/run/s", nil, .unix(.unixPath("/run/s")), "/run/s"), ("@s", nil, .unix(.unixAbstract([115])), "@s"),
      ("./s", nil, .unix(.unixPath("./s")), "./s"), ("../s", nil, .unix(.unixPath("../s")), "../s"),
      ("h:80", nil, .host("h", port: 80), "h:80"), ("[::1]:80", nil, .host("::1", port: 80), "[::1]:80"),
      ("h", "nosuchservice(13)", .host("h", port: 13), "h:13"), ("a\n", "1", .host("a\n", port: 1), "a\\x0a:1"),
    ] as [(String, String?, ConnectionTarget, String)])
  func isRead(place: String, port: String?, target: ConnectionTarget, text: String) throws {
    #expect(try ConnectionTarget(place, port: port) == target)
    #expect("\(target)" == text)
  }

  @Test(
    "is read from one word, with or without a port",
    arguments: [
      ("localhost", .host("localhost", port: 37)), ("h:10037", .host("h", port: 10037)),
      ("h:none(13)", .host("h", port: 13)), ("127.0.0.1:1", .host("127.0.0.1", port: 1)),
      ("::1", .host("::1", port: 37)), ("[::1]", .host("::1", port: 37)), ("[::1]:10037", .host("::1", port: 10037)),
      ("fe80::1%lo", .host("fe80::1%lo", port: 37)), ("/run/a:b", .unix(.unixPath("/run/a:b"))),
      ("@s", .unix(.unixAbstract([115]))),
    ] as [(String, ConnectionTarget)])
  func isReadFromOneWord(word: String, target: ConnectionTarget) throws {
    #expect(try ConnectionTarget(word, defaultPort: "none(37)") == target)
    for wrong in ["", ":1", "h:", "h:0", "h:x", "[]:1", "[::1]:", "h:-1"] {
      #expect(throws: ConnectionTarget.ParseError.self) { try ConnectionTarget(wrong, defaultPort: "37") }
    }
  }

  @Test(
    "says what is wrong",
    arguments: [
      ("localhost", nil, "localhost: a host needs a port, a Unix socket is /PATH, ./PATH or @NAME"),
      ("::1", nil, "::1: a host needs a port, a Unix socket is /PATH, ./PATH or @NAME"),
      ("/run/s", "80", "/run/s: a Unix socket has no port"), ("@s", "80", "@s: a Unix socket has no port"),
      ("", "80", "the host is empty"), ("[]", "80", "the host is empty"),
      ("h", "0", "0: no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "65536", "65536: no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "no-such-service", "no-such-service: no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "x(0)", "x(0): no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "x(y)", "x(y): no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "", ": no such port (a number, a name, or NAME(NUMBER))"),
      ("h", "\u{1b}", "\\x1b: no such port (a number, a name, or NAME(NUMBER))"),
    ] as [(String, String?, String)])
  func saysWhatIsWrong(place: String, port: String?, text: String) { #expect(problem(place, port) == text) }

  @Test("has the addresses that its numbers say")
  func hasAddresses() throws {
    #expect(try ConnectionTarget("127.0.0.1", port: "80").addresses() == [.ipv4(.loopback, port: 80)])
    #expect(try ConnectionTarget("::1", port: "80").addresses() == [.ipv6(.loopback, port: 80)])
    #expect(try ConnectionTarget("/s", port: nil).addresses() == [.unixPath("/s")])
  }

  private func failure(_ target: ConnectionTarget, within limit: Duration = .seconds(20)) -> ConnectionTarget
    .ConnectError?
  {
    do throws(ConnectionTarget.ConnectError) {
      _ = try target.connect(until: Deadline(after: limit))
      return nil
    } catch { return error }
  }

  /// A port of loopback that this test has for IPv6 only, so that nobody listens there on IPv4, or the other way round.
  private func lonelyPort(_ address: SocketAddress) throws -> (listener: ListeningPort, port: UInt16) {
    let listener = ListeningPort(try ListeningSocket(address, backlog: 8))
    return (listener, try #require(try listener.socket.descriptor.localAddress().address?.port))
  }

  @Test("connects to the one of localhost's addresses that listens", arguments: ["127.0.0.1:0", "[::1]:0"])
  func connectsToOneOfTwo(address: String) throws {
    let (listener, port) = try lonelyPort(#require(SocketAddress(address)))
    let listening = try #require(SocketAddress("\(address.dropLast())\(port)"))
    // Not every machine gives the name an IPv6 address.
    guard try Hosts.addresses(of: "localhost", port: port).contains(listening) else {
      try #require(address == "[::1]:0", "localhost is not 127.0.0.1")
      return
    }
    let connected = try ConnectionTarget("localhost", port: "begat-none(\(port))")
      .connect(until: Deadline(after: .seconds(20)))
    #expect(connected.address == listening && listener.socket.descriptor.number >= 0)
  }

  @Test("names every address that was tried with its reason")
  func namesEveryAddress() throws {
    let (keeper, port) = try lonelyPort(.ipv4(IPv4Address(rawValue: 0x7f00_0207), port: 0))
    let refused = try #require(failure(ConnectionTarget("localhost", port: String(port))))
    let expected = try Hosts.addresses(of: "localhost", port: port).map { "connect \($0): Connection refused" }
    #expect(refused.reasons.sorted() == expected.sorted() && refused.description.contains("Connection refused"))
    #expect(keeper.socket.descriptor.number >= 0)
  }

  @Test("says why a name has no address")
  func saysWhyThereIsNone() throws {
    // RFC 6761: never a name of a host.
    let found = try #require(failure(ConnectionTarget("begat-none.invalid", port: "13")))
    guard case .unknown(let unknown) = found else {
      Issue.record("\(found)")
      return
    }
    #expect(unknown.host == "begat-none.invalid" && found.reasons == ["\(unknown)"])
  }

  @Test("has one time limit for all addresses")
  func hasOneTimeLimit() throws {
    let silent = try SilentListener()
    let began = SystemClock.monotonic()
    let found = failure(.host("127.0.0.1", port: silent.address.port ?? 1), within: .milliseconds(200))
    #expect(found?.reasons == ["connect \(silent.address): Connection timed out"])
    let took = SystemClock.monotonic() - began
    #expect(took >= 195_000_000 && took < 1_500_000_000, "\(took) ns")
  }

  @Test("reaches socat at a path and at an abstract name", arguments: [false, true])
  func reachesUnixSockets(isAbstract: Bool) throws {
    let directory = try TemporaryDirectory()
    let name = "begat-test-\(getpid())-target"
    let place = isAbstract ? "@\(name)" : directory["s"]
    let listen = isAbstract ? "ABSTRACT-LISTEN:\(name)" : "UNIX-LISTEN:\(place)"
    let socat = try Counterpart("socat", ["-d", "-d", listen, "SYSTEM:echo hello"])
    _ = try socat.line(containing: "listening on")
    let connected = try ConnectionTarget(place, port: nil).connect(until: Deadline(after: .seconds(20)))
    #expect(try text(from: connected.socket) == "hello\n")
  }

  @Test("reaches nc by a name")
  func reachesNetcat() throws {
    let netcat = try Counterpart("nc", ["-l", "-v", "-n", "127.0.0.1", "0"])
    let line = try netcat.line(containing: "Listening on")
    let port = try #require(line.split(separator: " ").last)
    try netcat.tell("from nc\n")
    let connected = try ConnectionTarget("localhost", port: String(port)).connect(until: Deadline(after: .seconds(20)))
    try connected.socket.writeAll("to nc\n")
    #expect(try netcat.line(containing: "to nc") == "to nc")
    #expect(try text(from: connected.socket, upTo: 8) == "from nc\n")
  }

  @Test("reads a service's name with a number as perl does, which serves it")
  func agreesWithPerl() throws {
    let script = """
      $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5) or die $@;
      print $p = $s->sockport, "\\n";
      for (1..2) { $c = $s->accept or die; print {$c} "served by perl\\n"; close $c }
      """
    let perl = try Counterpart("perl", ["-MIO::Socket::INET", "-e", "$|=1; " + script])
    let port = try perl.line()
    let connected = try ConnectionTarget("127.0.0.1", port: "begat-none(\(port))")
      .connect(until: Deadline(after: .seconds(20)))
    #expect(try text(from: connected.socket) == "served by perl\n")
    let client =
      "print readline(IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 'begat-none(\(port))') or die)"
    #expect(try Counterpart("perl", ["-MIO::Socket::INET", "-e", client]).rest() == "served by perl\n")
  }

  private func text(from socket: borrowing Descriptor, upTo most: Int = .max) throws -> String {
    var bytes: [UInt8] = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { room.deallocate() }
    while bytes.count < most {
      try #require(socket.wait(for: .readable, until: Deadline(after: .seconds(20))) == true)
      let count = try socket.read(into: room)
      if count == 0 { break }
      bytes += room[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

private final class ListeningPort {
  let socket: ListeningSocket
  init(_ socket: consuming ListeningSocket) { self.socket = socket }
}
