import Glibc
@_spi(Begat) import NameService
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite(.timeLimit(.minutes(30))) struct SurveyTests {
  /// A server of Python's at 127.0.0.1; `answer` sees the connection `c` and the listener `s`.
  private func server(_ answer: String) throws -> (program: Counterpart, target: ConnectionTarget) {
    let program = try Counterpart.python(
      """
      import socket
      s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(16)
      print(s.getsockname()[1])
      kept = []
      while True:
          c, _ = s.accept(); kept.append(c)
          \(answer)
      """)
    return (program, .host("127.0.0.1", port: try #require(UInt16(try program.line()))))
  }

  private func outcomes(
    _ targets: [ConnectionTarget], _ transport: Transport = .tcp, enough: Int? = 4, longest: Int = 8,
    within limit: Duration = .seconds(20)
  ) throws -> [String] {
    let survey = Survey(
      targets: targets, transport: transport, rule: AnswerRule(enough: enough, longest: longest), timeout: limit)
    var found = [[String]](repeating: [], count: targets.count)
    try survey.run { index, outcome in
      switch outcome {
      case .failed(let reason): found[index].append(reason)
      case .answered(let answer): found[index].append("\(answer.bytes.escaped) \(answer.ending)")
      }
    }
    #expect(found.allSatisfy { $0.count == 1 }, "each has one outcome: \(found)")
    return found.map { $0.joined(separator: ", ") }
  }

  @Test("needs no end of the connection where the bytes are enough, and keeps no more than it may")
  func takesWhatIsEnough() throws {
    let (program, target) = try server("c.sendall(b'12'); c.sendall(b'34')")
    #expect(try outcomes([target, target]) == ["1234 complete", "1234 complete"])
    let (endless, source) = try server("c.sendall(b'x' * 65536)")
    #expect(try outcomes([source], enough: nil) == ["xxxxxxxx tooLong"])
    #expect(program.process > 0 && endless.process > 0)
  }

  @Test("tells what had come by the limit, and who was silent")
  func tellsWhatHadCome() throws {
    let (program, target) = try server("c.sendall(b'123')")
    let silent = try SilentListener()
    let quiet = ConnectionTarget.host("127.0.0.1", port: silent.address.port ?? 1)
    let began = SystemClock.monotonic()
    #expect(
      try outcomes([target, quiet], within: .milliseconds(500)) == ["123 unended", "no answer within 500 ms"])
    let took = SystemClock.monotonic() - began
    #expect(took >= 495_000_000 && took < 1_500_000_000, "\(took) ns")
    #expect(program.process > 0)
  }

  @Test("hears refusals, resets and names that nobody has, and goes on", arguments: [Transport.tcp, .udp])
  func hearsRefusals(transport: Transport) throws {
    let kind: SocketKind = transport == .tcp ? .stream : .datagram
    let closed = try Descriptor.socket(family: .ipv4, kind: kind)
    let native = try RawSocketAddress(.ipv4(.loopback, port: 0))
    #expect(native.withPointer { bind(closed.number, $0, $1) } == 0)
    let port = try #require(try closed.localAddress().address?.port)
    let number = closed.release()
    // A datagram socket that is bound hears: only after its end is its port refused.
    if transport == .udp { close(number) }
    defer { if transport == .tcp { close(number) } }
    let found = try outcomes(
      [.host("127.0.0.1", port: port), .host("begat-none.invalid", port: 37), .unix(.unixPath("/nonexistent/s"))],
      transport)
    #expect(found[0] == "refused" && found[1].hasPrefix("unknown host: ") && found[2] == "No such file or directory")
  }

  @Test("tries the second address of a host when the first is refused", arguments: ["127.0.0.1", "::1"])
  func triesTheSecond(host: String) throws {
    let family = host == "::1" ? "socket.AF_INET6" : "socket.AF_INET"
    let program = try Counterpart.python(
      """
      import socket, threading
      s = socket.socket(\(family)); s.bind(('\(host)', 0)); s.listen(4)
      d = socket.socket(\(family), socket.SOCK_DGRAM); d.bind(('\(host)', s.getsockname()[1]))
      print(s.getsockname()[1])
      def datagrams():
          while True: d.sendto(b'four', d.recvfrom(9)[1])
      threading.Thread(target=datagrams, daemon=True).start()
      while True:
          c, _ = s.accept(); c.sendall(b'four'); c.close()
      """)
    let port = try #require(UInt16(try program.line()))
    let literal = try #require(SocketAddress(host: host == "::1" ? "[::1]" : host, port: port))
    // Not every machine gives the name an IPv6 address.
    guard try Hosts.addresses(of: "localhost", port: port).contains(literal) else {
      try #require(host == "::1", "localhost is not 127.0.0.1")
      return
    }
    for transport in [Transport.tcp, .udp] {
      #expect(try outcomes([.host("localhost", port: port)], transport) == ["four complete"])
    }
  }

  @Test("says each reason once, and whose it is where they differ")
  func saysReasons() {
    func text(_ failures: SystemCallError...) -> String {
      if case .failed(let reason) = SurveyOutcome.failed(failures) { reason } else { "" }
    }
    let refused = SystemCallError("connect", on: "[::1]:37", code: .connectionRefused)
    let late = SystemCallError("connect", on: "127.0.0.1:37", code: .permissionDenied)
    #expect(text(refused) == "refused" && text(refused, refused) == "refused" && text() == "no address")
    #expect(text(refused, late) == "[::1]:37: refused; 127.0.0.1:37: Permission denied")
  }
}
