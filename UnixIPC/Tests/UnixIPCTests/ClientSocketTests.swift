import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ClientSocketTests {
  private func listener() throws -> ListeningSocket { try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8) }

  /// An address at which nobody listens, as long as the socket that is bound to it is kept.
  private func closedPort() throws -> (socket: ClosedPort, address: SocketAddress) {
    let socket = ClosedPort(
      try Descriptor.bound(to: .ipv4(.loopback, port: 0), kind: .stream, options: BindOptions()))
    return (socket, try #require(try socket.descriptor.localAddress().address))
  }

  @Test("connects with a blocking socket")
  func connects() throws {
    let listener = try listener()
    let address = try #require(try listener.descriptor.localAddress().address)
    let plain = try ClientSocket.connect(to: address)
    let bounded = try ClientSocket.connect(to: address, until: Deadline(after: .seconds(20)))
    #expect(plain.isBlocking && bounded.isBlocking && plain.isCloseOnExec && bounded.isCloseOnExec)
    #expect(try bounded.peerAddress().address == address)
  }

  @Test("says who refused")
  func saysWhoRefused() throws {
    let (socket, address) = try closedPort()
    let refused = SystemCallError("connect", on: "\(address)", code: .connectionRefused)
    #expect(failure { () throws(SystemCallError) in try ClientSocket.connect(to: address) } == refused)
    #expect(
      failure { () throws(SystemCallError) in
        try ClientSocket.connect(to: address, until: Deadline(after: .seconds(20)))
      }
        == refused)
    let started = try ClientSocket.start(to: address)
    var query = pollfd(fd: started.number, events: Int16(POLLOUT), revents: 0)
    try #require(poll(&query, 1, 20_000) == 1)
    #expect(failure { () throws(SystemCallError) in try ClientSocket.finish(started, to: address) } == refused)
    #expect(socket.descriptor.number >= 0)
    #expect(throws: SystemCallError("connect", on: "/nonexistent/socket", code: .noSuchFileOrDirectory)) {
      _ = try ClientSocket.connect(to: .unixPath("/nonexistent/socket"))
    }
  }

  @Test("connects from the address that is asked for")
  func connectsFromAnAddress() throws {
    let listener = try listener()
    let address = try #require(try listener.descriptor.localAddress().address)
    let source = IPv4Address(rawValue: 0x7f01_0203)
    let socket = try ClientSocket.start(to: address, from: .ipv4(source, port: 0))
    #expect(socket.isBlocking == false)
    var query = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
    try #require(poll(&query, 1, 20_000) == 1)
    try ClientSocket.finish(socket, to: address)
    guard case .ipv4(source, let port) = try socket.localAddress().address else {
      Issue.record("connected from another address")
      return
    }
    #expect(port != 0)
  }

  @Test("gives up after its time")
  func givesUp() throws {
    // A full backlog answers nothing; Linux takes one more connection than it was asked for.
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 0)
    let address = try #require(try listener.descriptor.localAddress().address)
    let waiting = try ClientSocket.connect(to: address)
    let began = SystemClock.monotonic()
    let found = failure { () throws(SystemCallError) in
      try ClientSocket.connect(to: address, until: Deadline(after: .milliseconds(300)))
    }
    #expect(found == SystemCallError("connect", on: "\(address)", code: .timedOut))
    #expect(SystemClock.monotonic() - began >= 290_000_000)
    #expect(waiting.number >= 0)
  }

  @Test("waits for room in a Unix socket's backlog, until its time")
  func waitsForRoom() throws {
    let name = SocketAddress.unixAbstract(Array("begat-test-\(getpid())-backlog".utf8))
    let listener = try ListeningSocket(name, backlog: 0)
    let number = listener.descriptor.number
    let first = try ClientSocket.connect(to: name)
    let began = SystemClock.monotonic()
    let late = failure { () throws(SystemCallError) in
      try ClientSocket.connect(to: name, until: Deadline(after: .milliseconds(100)))
    }
    #expect(late == SystemCallError("connect", on: "\(name)", code: .timedOut))
    #expect(SystemClock.monotonic() - began >= 95_000_000)

    let accepting = Background {
      let connection = accept(number, nil, nil)
      if connection >= 0 { close(connection) }
    }
    let second = try ClientSocket.connect(to: name, until: Deadline(after: .seconds(20)))
    accepting.join()
    var limit = timeval(tv_sec: 1, tv_usec: 1)
    var length = socklen_t(MemoryLayout<timeval>.size)
    getsockopt(second.number, SOL_SOCKET, SO_SNDTIMEO, &limit, &length)
    #expect(second.isBlocking && limit.tv_sec == 0 && limit.tv_usec == 0 && first.number >= 0)
  }

  @Test("waits for a Unix socket's backlog without spinning")
  func waitsWithoutSpinning() throws { try ProbeProgram.check("connect-idle") }

  @Test("waits for a full backlog no longer than a time limit")
  func waitsInATimeLimit() throws { try ProbeProgram.check("bound-connect") }
}

private final class ClosedPort {
  let descriptor: Descriptor
  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}
