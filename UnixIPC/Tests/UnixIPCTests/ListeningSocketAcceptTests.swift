import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ListeningSocketAcceptTests {
  private func server() throws -> ListeningSocket { try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 16) }

  private func address(of server: borrowing ListeningSocket) throws -> SocketAddress {
    try #require(try server.descriptor.localAddress().address)
  }

  @Test("gives the connection and its peer")
  func accepts() throws {
    let server = try server()
    let client = try ClientSocket.connect(to: address(of: server))
    let own = try client.localAddress().address
    let accepted = try server.accept()
    let peer = accepted.peer
    #expect(peer == own)
    #expect(accepted.socket.isBlocking == true && accepted.socket.isCloseOnExec == true)
    try accepted.socket.sendAll("hello")
    #expect(try client.receive(maxCount: 100) == Array("hello".utf8))
  }

  @Test("waits until the deadline and no longer")
  func waits() throws {
    let server = try server()
    let late = failure { () throws(SystemCallError) in try server.accept(until: Deadline(after: .milliseconds(10))) }
    #expect(late?.code == .timedOut && late?.call == "accept")
    let isNothing = try server.nextConnection(until: Deadline(after: .milliseconds(10))) == nil
    #expect(isNothing)
    let outer = failure { try withDeadline(after: .milliseconds(10)) { _ = try server.accept() } }
    #expect((outer as? SystemCallError)?.code == .timedOut)
  }

  @Test("passes over a connection that has died, with time and without")
  func passesOverTheDead() throws {
    let server = try server()
    let client = try ClientSocket.connect(to: address(of: server))
    for (deadline, expected) in [(Deadline.immediate, ErrorCode.timedOut), (Deadline(after: .seconds(20)), nil)] {
      var deaths = 1
      let found = failure { () throws(SystemCallError) in
        try server.accept(until: deadline, cancelledBy: nil) { (peer) throws(SystemCallError) in
          deaths -= 1
          if deaths == 0 { throw SystemCallError("accept", code: .connectionAbort) }
          return try server.accept(peer: &peer)
        }
      }
      #expect(found?.code == expected)
    }
    // One that always fails so does not keep the caller from being cancelled.
    let cancellation = try Cancellation()
    cancellation.cancel()
    let cancelled = failure { () throws(SystemCallError) in
      try server.accept(until: .never, cancelledBy: cancellation) { (_) throws(SystemCallError) in
        throw SystemCallError("accept", code: .notPermitted)
      }
    }
    #expect(cancelled?.code == .canceled)
    _ = consume client
  }

  @Test("is ended by a cancellation")
  func isCancelled() throws {
    let server = try server()
    let cancellation = try Cancellation()
    cancellation.cancel()
    let ended = failure { () throws(SystemCallError) in try server.accept(cancelledBy: cancellation) }
    #expect(ended?.code == .canceled)
    let isNothing = try server.nextConnection(cancelledBy: cancellation) == nil
    #expect(isNothing)
  }

  @Test("accepts one after the other in a loop")
  func loops() throws {
    let server = try server()
    var clients = DescriptorList()
    for _ in 0..<5 { clients.append(try ClientSocket.connect(to: address(of: server))) }
    var count = 0
    while let client = try server.nextConnection(until: Deadline(after: .milliseconds(50))) {
      count += client.peer == nil ? 0 : 1
    }
    #expect(count == 5)
  }

  @Test("passes over a connection that was reset in the backlog, as far as the kernel does not")
  func passesOver() throws {
    let server = try server()
    do {
      let gone = try ClientSocket.connect(to: address(of: server))
      try gone.setLinger(.zero)
    }
    let client = try ClientSocket.connect(to: address(of: server))
    var found = 0
    while let accepted = try server.nextConnection(until: Deadline(after: .milliseconds(50))) {
      if accepted.peer == (try client.localAddress().address) { found += 1 }
    }
    #expect(found == 1)
  }

  @Test("fails when the socket was shut down")
  func fails() throws {
    let server = try server()
    #expect(shutdown(server.descriptor.number, CInt(SHUT_RD)) == 0)
    let failed = failure { () throws(SystemCallError) in try server.accept(until: Deadline(after: .seconds(20))) }
    #expect(failed?.code == .invalidArgument)
  }
}
