import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DatagramInquiryTests {
  /// A server of Python's, and where it listens.  `answer` sees the socket `s`, the `data` and the `peer`.
  private func server(_ answer: String) throws -> (program: Counterpart, address: SocketAddress) {
    let program = try Counterpart.python(
      """
      import socket, struct, time
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.bind(('127.0.0.1', 0))
      print(s.getsockname()[1])
      while True:
          data, peer = s.recvfrom(65536)
          \(answer)
      """)
    return (program, .ipv4(.loopback, port: try #require(UInt16(try program.line()))))
  }

  @Test("has outcomes that say what came of it in a few words")
  func describesOutcomes() {
    let answer = DatagramInquiry.Answer(
      bytes: [1, 2], isTruncated: true, roundTrip: .milliseconds(2), receivedAt: .zero)
    let failure = SystemCallError("send", on: "192.0.2.7:37", code: .networkUnreachable)
    let outcomes: [DatagramInquiry.Outcome] = [.answered(answer), .refused, .silent, .failed(failure)]
    #expect(
      outcomes.map { "\($0)" } == ["2 bytes and more after 0.002 seconds", "refused", "silent", "\(failure)"])
    #expect(outcomes.map(\.answer) == [answer, nil, nil, nil])
    #expect(DatagramInquiry(question: "time?") == DatagramInquiry(question: Array("time?".utf8)))
  }

  private func ask(
    _ addresses: SocketAddress..., question: [UInt8] = [], maxAnswerSize: Int = 2048,
    within limit: Duration = .seconds(20)
  ) throws -> [DatagramInquiry.Outcome] {
    try DatagramInquiry(question: question, maxAnswerSize: maxAnswerSize).ask(
      addresses, until: Deadline(after: limit))
  }

  private func answer(_ outcome: DatagramInquiry.Outcome) throws -> DatagramInquiry.Answer {
    guard case .answered(let answer) = outcome else { throw SystemCallError("\(outcome)", code: .invalidArgument) }
    return answer
  }

  @Test("asks a time server with a datagram that is really empty")
  func asksATimeServer() throws {
    // RFC 868, as an empty question only is answered.
    let (program, address) = try server("if not data: s.sendto(struct.pack('!I', int(time.time()) + 2208988800), peer)")
    let answer = try answer(try ask(address)[0])
    let seconds = answer.bytes.reduce(0) { $0 << 8 | Int64($1) } - 2_208_988_800
    #expect(answer.bytes.count == 4 && abs(seconds - SystemClock.wall() / 1_000_000_000) < 5 && !answer.isTruncated)
    #expect(answer.roundTrip > .zero && answer.roundTrip < .seconds(10))
    #expect(try ask(address, question: [48], within: .milliseconds(100)) == [.silent])
    #expect(program.process > 0)
  }

  @Test("asks 200 hosts at once, of which 20 are silent, and ends at the deadline")
  func asksManyAtOnce() throws {
    let program = try Counterpart.python(
      """
      import selectors, socket
      first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); first.bind(('127.0.1.1', 0))
      port = first.getsockname()[1]
      chosen, sockets = selectors.DefaultSelector(), [first]
      for host in range(2, 201):
          s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.1.%d' % host, port)); sockets.append(s)
      for host, s in enumerate(sockets, 1):
          if host % 10: chosen.register(s, selectors.EVENT_READ, host)
      print(port)
      while True:
          for key, _ in chosen.select():
              data, peer = key.fileobj.recvfrom(100)
              for _ in range(3): key.fileobj.sendto(data + b'%d' % key.data, peer)
      """)
    let port = try #require(UInt16(try program.line()))
    let hosts: [SocketAddress] = (1...200).map { .ipv4(IPv4Address(rawValue: 0x7f00_0100 + $0), port: port) }
    let began = SystemClock.monotonic()
    let outcomes = try DatagramInquiry(question: Array("host ".utf8)).ask(hosts, until: Deadline(after: .seconds(1)))
    let took = SystemClock.monotonic() - began
    var slowest = Duration.zero
    for (index, outcome) in outcomes.enumerated() {
      if (index + 1) % 10 == 0 {
        #expect(outcome == .silent)
      } else {
        let answer = try answer(outcome)
        #expect(answer.bytes == Array("host \(index + 1)".utf8))
        slowest = max(slowest, answer.roundTrip)
      }
    }
    #expect(outcomes.count == 200 && took >= 995_000_000 && took < 1_500_000_000, "\(took) ns")
    if getenv("BEGAT_FIGURES") != nil { print("200 hosts, 20 silent: \(took) ns, slowest answer \(slowest)") }
  }

  @Test("asks those too who are added while others are awaited")
  func asksLateOnes() throws {
    let (program, address) = try server("s.sendto(data, peer)")
    let silent = try DatagramSocket(.ipv4(.loopback, port: 0))
    let quiet = try #require(try silent.descriptor.localAddress().address)
    var round = try InquiryRound(DatagramInquiry(question: [1, 2]))
    let first = round.add(quiet)
    let nobody = try round.advance()
    var late: [Int] = [], decided: [Int] = []
    // More than there were places for.
    for _ in 0..<40 { late.append(round.add(address)) }
    let unasked = round.unasked
    let mayAsk = round.mayAsk
    #expect(first == 0 && nobody.isEmpty && late == Array(1...40) && unasked == 1..<41 && mayAsk)
    let deadline = Deadline(after: .seconds(20))
    while decided.count < 40, !deadline.isExpired { decided += try round.advance(until: deadline) }
    let outcomes = late.map { round.outcome(of: $0) }
    #expect(decided.sorted() == late)
    for outcome in outcomes { #expect(try answer(outcome).bytes == [1, 2]) }
    let rest = try round.collectLate()
    let last = round.outcome(of: first)
    #expect(rest.isEmpty && last == .silent && program.process > 0)
  }

  @Test("ends when all have answered, long before the deadline")
  func endsEarly() throws {
    let (program, address) = try server("s.sendto(data, peer)")
    let began = SystemClock.monotonic()
    #expect(try answer(try ask(address, address, question: [5])[1]).bytes == [5])
    #expect(SystemClock.monotonic() - began < 10_000_000_000)
    #expect(program.process > 0)
  }

  @Test("hears who refuses, and goes on with the others")
  func hearsRefusals() throws {
    let (program, address) = try server("s.sendto(data, peer)")
    let version6 = try DatagramSocket(.ipv6(.loopback, port: 0))
    let free = try #require(try version6.descriptor.localAddress().address?.port)
    let version4 = try DatagramSocket(.ipv4(.loopback, port: 0))
    let other = try #require(try version4.descriptor.localAddress().address?.port)
    let outcomes = try ask(
      .ipv4(.loopback, port: free), .ipv6(.loopback, port: other), address, .ipv4(.init(rawValue: .max), port: 9),
      question: [1])
    #expect(outcomes[0] == .refused && outcomes[1] == .refused)
    #expect(try answer(outcomes[2]).bytes == [1])
    let noBroadcast = SystemCallError("connect", on: "255.255.255.255:9", code: .permissionDenied)
    #expect(outcomes[3] == .failed(noBroadcast))
    #expect(program.process > 0)
  }

  @Test("believes only the host that was asked")
  func believesTheAskedOnly() throws {
    // Another socket answers first, from another port and from another address of the same machine.
    let (program, address) = try server(
      """
      for host in ('127.0.0.1', '127.0.0.7'):
              t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.bind((host, 0)); t.sendto(b'forged', peer)
          s.sendto(b'true', peer)
      """)
    #expect(try answer(try ask(address)[0]).bytes == Array("true".utf8))
    let (liar, silent) = try server(
      "t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.bind(('127.0.0.7', 0)); t.sendto(b'forged', peer)")
    #expect(try ask(silent, within: .milliseconds(200)) == [.silent])
    #expect(program.process > 0 && liar.process > 0)
  }

  @Test(
    "keeps as much of an answer as is wanted, and says that there was more",
    arguments: [(0, 0, false), (0, 1, true), (4, 4, false), (4, 5, true), (4, 60000, true), (65535, 60000, false)])
  func boundsAnswers(longest: Int, sent: Int, isTruncated: Bool) throws {
    let (program, address) = try server("s.sendto(b'x' * \(sent), peer)")
    let answer = try answer(try ask(address, maxAnswerSize: longest)[0])
    #expect(answer.bytes.count == min(longest, sent) && answer.isTruncated == isTruncated)
    #expect(program.process > 0)
  }

  @Test("says what cannot be sent")
  func saysWhatCannotBeSent() throws {
    let quiet = try DatagramSocket(.ipv4(.loopback, port: 0))
    let address = try #require(try quiet.descriptor.localAddress().address)
    let outcome = try ask(address, question: Array(repeating: 0, count: 70000), within: .seconds(1))
    #expect(outcome == [.failed(SystemCallError("send", on: "\(address)", code: .messageTooLong))])
    #expect(try ask() == [])
    let late = SystemCallError("connect", on: "\(address)", code: .timedOut)
    #expect(try ask(address, within: .zero) == [.failed(late)])
  }

  @Test("asks over Unix sockets too")
  func asksUnixSockets() throws {
    let directory = try TemporaryDirectory()
    let program = try Counterpart.python(
      """
      import socket, sys
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('ready')
      data, peer = s.recvfrom(100)
      s.sendto(data.upper(), peer)
      """, [directory["s"]])
    #expect(try program.line() == "ready")
    #expect(try answer(try ask(.unixPath(directory["s"]), question: Array("who".utf8))[0]).bytes == Array("WHO".utf8))
  }

  @Test("leaves no descriptor behind and does not spin")
  func leavesNothing() throws { try ProbeProgram.check("inquiry-descriptors") }

  @Test(
    "hears the network say that nobody has an address", .enabled(if: isRoot, "needs root for a network of its own"),
    .enabled(if: hasVirtualInterfaces, "this kernel makes no network of its own with veth interfaces"))
  func hearsTheNetwork() throws { try ProbeProgram.check("inquiry-unreachable") }

  @Test("makes do with few descriptors, and says whom it could not ask")
  func makesDoWithFew() throws { try ProbeProgram.check("inquiry-few") }

  @Test("waits no longer than a time limit")
  func waitsInATimeLimit() throws { try ProbeProgram.check("bound-inquiry") }
}
