import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ConnectionRaceTests {
  private func address(of socket: borrowing Descriptor) throws -> SocketAddress {
    try #require(try socket.localAddress().address)
  }

  /// The port of an address at which nobody listens as long as the test keeps the socket.
  private func closedPort() throws -> Descriptor {
    try Descriptor.bound(to: .ipv4(.loopback, port: 0), kind: .stream)
  }

  @Test(
    "lets IPv6 and IPv4 take turns, as the first address begins",
    arguments: [
      ("", ""), ("a", "a"), ("AB", "AB"), ("abA", "aAb"), ("ABa", "AaB"), ("ABCab", "AaBbC"), ("abcAB", "aAbBc"),
      ("aABC", "aABC"), ("aAbB", "aAbB"),
    ])
  func takesTurns(given: String, expected: String) {
    // Capitals stand for IPv6.
    func addresses(_ letters: String) -> [SocketAddress] {
      letters.utf8.map { byte in
        byte < 97 ? .ipv6(.loopback, port: UInt16(byte)) : .ipv4(.loopback, port: UInt16(byte))
      }
    }
    #expect(ConnectionRace.interleaved(addresses(given)) == addresses(expected))
  }

  @Test("takes the first that listens, immediately after refusals")
  func takesTheFirst() throws {
    let closed = try closedPort()
    let refusing = try address(of: closed)
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8)
    let listening = try address(of: listener.descriptor)
    let began = SystemClock.monotonic()
    let connected = try ClientSocket.connect(toFirstOf: [refusing, refusing, listening, refusing])
    #expect(SystemClock.monotonic() - began < 490_000_000, "refusals are waited for")
    #expect(connected.address == listening && connected.socket.isBlocking && connected.socket.isCloseOnExec)
    #expect(try connected.socket.peerAddress().address == listening)
  }

  @Test("passes a silent address after a quarter of a second")
  func passesASilentOne() throws {
    let silent = try SilentListener()
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8)
    let listening = try address(of: listener.descriptor)
    let began = SystemClock.monotonic()
    let connected = try ClientSocket.connect(
      toFirstOf: [silent.address, listening], until: Deadline(after: .seconds(20)))
    let took = SystemClock.monotonic() - began
    #expect(connected.address == listening)
    #expect(took >= 245_000_000 && took < 1_500_000_000, "\(took) ns")
  }

  @Test("still takes a late first address while a second is tried")
  func takesALateOne() throws {
    let silent = try SilentListener()
    let other = try SilentListener()
    let both = [silent.address, other.address]
    let address = silent.address
    // Room in the backlog when both are being tried: the kernel's next try at the first gets through.
    let making = Background {
      let deadline = Deadline(after: .seconds(20))
      while !other.isBeingTried, !deadline.isExpired { sched_yield() }
      silent.makeRoom()
    }
    let connected = try ClientSocket.connect(toFirstOf: both, until: Deadline(after: .seconds(20)))
    making.join()
    #expect(connected.address == address)
  }

  @Test("runs beside others, as one poller tells")
  func runsBesideOthers() throws {
    let silent = try SilentListener()
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8)
    let listening = try address(of: listener.descriptor)
    let closed = try closedPort()
    let refusing = try address(of: closed)
    let deadline = Deadline(after: .seconds(20))
    var won = try ConnectionRace([silent.address, listening], until: deadline)
    var lost = try ConnectionRace([refusing, refusing], until: deadline)
    let poller = try Poller()
    try poller.add(won.descriptor, .readable, token: 0)
    try poller.add(lost.descriptor, .readable, token: 1)
    var winner: SocketAddress?
    while winner == nil, !deadline.isExpired {
      switch try won.advance() {
      case .some(let connected): winner = connected.address
      case .none: break
      }
      if !lost.hasFailed {
        let isNone = try lost.advance() == nil
        #expect(isNone)
      }
      if winner == nil {
        poller.wait(milliseconds: min(won.due, lost.hasFailed ? .never : lost.due).milliseconds) { _ in }
      }
    }
    let isLost = lost.hasFailed
    let reasons = lost.errors.map(\.code)
    #expect(winner == listening && isLost && reasons == [.connectionRefused, .connectionRefused])
  }

  @Test("names every address with its reason, in one time for all")
  func namesEveryAddress() throws {
    let silent = try SilentListener()
    let other = try SilentListener()
    let closed = try closedPort()
    let refusing = try address(of: closed)
    let missing = SocketAddress.unixPath("/nonexistent/socket")
    let began = SystemClock.monotonic()
    let found = failure { () throws(ConnectionError) in
      try ClientSocket.connect(
        toFirstOf: [silent.address, refusing, missing, other.address], until: Deadline(after: .milliseconds(200)))
    }
    let took = SystemClock.monotonic() - began
    #expect(
      found?.description
        == "connect \(silent.address): Connection timed out; connect \(refusing): Connection refused; "
        + "connect /nonexistent/socket: No such file or directory; connect \(other.address): Connection timed out")
    #expect(took >= 195_000_000 && took < 1_500_000_000, "\(took) ns")
  }

  @Test("tries one address at least, however late it is")
  func isLate() throws {
    let silent = try SilentListener()
    for addresses in [[silent.address], [silent.address, silent.address]] {
      let found = failure { () throws(ConnectionError) in
        try ClientSocket.connect(toFirstOf: addresses, until: .immediate)
      }
      #expect(found?.failures == [SystemCallError("connect", on: "\(silent.address)", code: .timedOut)])
    }
    let none = failure { () throws(ConnectionError) in try ClientSocket.connect(toFirstOf: []) }
    #expect(none == ConnectionError(failures: []) && none?.description == "no address")
  }

  @Test(
    "begins the next immediately when one fails after a while",
    .enabled(if: isRoot, "needs root for a network of its own"),
    .enabled(if: hasVirtualInterfaces, "this kernel makes no network of its own with veth interfaces"))
  func beginsTheNext() throws { try ProbeProgram.check("race-failures") }

  @Test("leaves no descriptor behind and does not spin")
  func leavesNothing() throws {
    try ProbeProgram.check("race-descriptors")
    try ProbeProgram.check("name-descriptors")
  }

  @Test("runs no longer than a time limit")
  func runsInATimeLimit() throws { try ProbeProgram.check("bound-race") }
}
