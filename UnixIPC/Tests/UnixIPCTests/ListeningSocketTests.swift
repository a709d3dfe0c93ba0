import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ListeningSocketTests {
  private func accept(from listener: borrowing ListeningSocket, peer: inout RawSocketAddress) throws -> Descriptor {
    try #require(listener.descriptor.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))) == true)
    return try listener.accept(peer: &peer)
  }

  @Test("never blocks")
  func neverBlocks() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 1)
    #expect(listener.descriptor.isListening && !listener.descriptor.isBlocking && listener.descriptor.isCloseOnExec)
    var peer = RawSocketAddress()
    #expect(failure { () throws(SystemCallError) in try listener.accept(peer: &peer) }?.code == .wouldBlock)
  }

  @Test("accepts blocking connections that no program inherits", arguments: ["127.0.0.1:0", "[::1]:0"])
  func accepts(text: String) throws {
    let listener = try ListeningSocket(#require(SocketAddress(text)), backlog: 8)
    let address = try #require(try listener.descriptor.localAddress().address)
    let client = try ClientSocket.connect(to: address, until: Deadline(after: .seconds(20)))
    var peer = RawSocketAddress()
    let connection = try accept(from: listener, peer: &peer)
    #expect(connection.isBlocking && connection.isCloseOnExec)
    #expect(peer.address == (try client.localAddress().address))
    #expect(try connection.peerAddress().address == peer.address)
    #expect(try connection.localAddress().address == address)
    #expect(try connection.option(CInt(IPPROTO_TCP), TCP_NODELAY) == 1)
  }

  @Test("accepts on an abstract name, with the client's credentials")
  func acceptsOnAnAbstractName() throws {
    let name = SocketAddress.unixAbstract(Array("begat-test-\(getpid())-listening".utf8))
    let listener = try ListeningSocket(name, backlog: 8)
    let client = try ClientSocket.connect(to: name)
    var peer = RawSocketAddress()
    let connection = try accept(from: listener, peer: &peer)
    #expect(peer.address == .unixUnnamed)
    let credentials = try PeerCredentials(of: connection)
    #expect(credentials.process == getpid() && credentials.user == geteuid() && credentials.group == getegid())
    #expect(try client.peerAddress().address == name)
  }

  @Test("takes IPv6 only on an IPv6 address")
  func takesIPv6Only() throws {
    let listener = try ListeningSocket(.ipv6(.any, port: 0), backlog: 8)
    #expect(try listener.descriptor.option(CInt(IPPROTO_IPV6), IPV6_V6ONLY) == 1)
    let port = try #require(try listener.descriptor.localAddress().address?.port)
    // The same port is free for IPv4, and nobody listens there.
    #expect(throws: SystemCallError("connect", on: "127.0.0.1:\(port)", code: .connectionRefused)) {
      _ = try ClientSocket.connect(to: .ipv4(.loopback, port: port))
    }
    _ = try ClientSocket.connect(to: .ipv6(.loopback, port: port))
  }

  @Test("asks silent peers for a sign of life, and keeps those that answer and do not read")
  func keepsConnectionsAlive() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8)
    listener.enableKeepalive()
    let client = try ClientSocket.connect(to: #require(try listener.descriptor.localAddress().address))
    var peer = RawSocketAddress()
    let connection = try accept(from: listener, peer: &peer)
    #expect(try connection.option(SOL_SOCKET, SO_KEEPALIVE) == 1)
    #expect(try connection.option(CInt(IPPROTO_TCP), TCP_KEEPIDLE) == 60)
    #expect(try connection.option(CInt(IPPROTO_TCP), TCP_KEEPINTVL) == 10)
    #expect(try connection.option(CInt(IPPROTO_TCP), TCP_KEEPCNT) == 5)
    // TCP_USER_TIMEOUT, which would end a connection whose peer answers every probe of its full window.
    #expect(try connection.option(CInt(IPPROTO_TCP), 18) == 0)
    _ = consume client
  }

  @Test("listens again at the same address after a shutdown", arguments: ["127.0.0.1:0", "[::1]:0"])
  func listensAgain(text: String) throws {
    let listener = try ListeningSocket(#require(SocketAddress(text)), backlog: 8)
    let address = try #require(try listener.descriptor.localAddress().address)
    #expect(listener.isServing == true)
    // Twice: the first time the port was the kernel's choice.
    for _ in 0..<2 {
      shutdown(listener.descriptor.number, CInt(SHUT_RD))
      #expect(listener.isServing == false)
      try listener.listenAgain(at: address, backlog: 8)
      #expect(listener.isServing == true)
      let client = try ClientSocket.connect(to: address)
      var peer = RawSocketAddress()
      let connection = try accept(from: listener, peer: &peer)
      #expect(peer.address == (try client.localAddress().address))
      _ = consume connection
    }
  }

  @Test("knows that a Unix socket does not listen again", arguments: [SHUT_RD, SHUT_RDWR])
  func knowsALostSocket(how: Int) throws {
    let name = SocketAddress.unixAbstract(Array("begat-test-\(getpid())-shut-\(how)".utf8))
    let listener = try ListeningSocket(name, backlog: 8)
    #expect(listener.isServing == true)
    shutdown(listener.descriptor.number, CInt(how))
    #expect(listener.isServing == false)
    #expect(
      failure { () throws(SystemCallError) in try listener.listenAgain(at: name, backlog: 8) }?.code == .invalidArgument
    )
  }

  @Test("says which address is taken")
  func saysWhichAddressIsTaken() throws {
    let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8)
    let address = try #require(try listener.descriptor.localAddress().address)
    #expect(throws: SystemCallError("bind", on: "\(address)", code: .addressInUse)) {
      _ = try ListeningSocket(address, backlog: 8)
    }
    #expect(throws: SystemCallError("bind", on: "192.0.2.1:0", code: .addressNotAvailable)) {
      _ = try ListeningSocket(.ipv4(IPv4Address(rawValue: 0xc000_0201), port: 0), backlog: 8)
    }
  }

  @Test("binds while connections of a former server linger")
  func bindsAgain() throws {
    let address: SocketAddress
    do {
      let listener = try ListeningSocket(.ipv4(.loopback, port: 0), backlog: 8)
      address = try #require(try listener.descriptor.localAddress().address)
      let client = try ClientSocket.connect(to: address)
      var peer = RawSocketAddress()
      // Closed on the server's side first: TIME_WAIT is the server's.
      let connection = try accept(from: listener, peer: &peer)
      _ = consume connection
      #expect(try client.readToEnd() == [])
    }
    _ = try ListeningSocket(address, backlog: 8)
  }

  @Test("adopts a socket that listens already and makes it non-blocking")
  func adopts() throws {
    let bound = try Descriptor.bound(to: .ipv4(.loopback, port: 0), kind: .stream, options: BindOptions())
    try #require(listen(bound.number, 1) == 0)
    #expect(bound.isBlocking == true)
    let listener = try ListeningSocket(adopting: bound)
    #expect(listener.descriptor.isBlocking == false)
    #expect(listener.release().isListening == true)
  }

  @Test("adopts nothing that does not listen")
  func adoptsNothingElse() throws {
    func errno(adopting descriptor: consuming Descriptor) -> ErrorCode? {
      do throws(SystemCallError) {
        _ = try ListeningSocket(adopting: descriptor)
        return nil
      } catch { return error.code }
    }
    #expect(
      try errno(adopting: .bound(to: .ipv4(.loopback, port: 0), kind: .stream, options: BindOptions()))
        == .invalidArgument)
    #expect(
      try errno(adopting: .bound(to: .ipv4(.loopback, port: 0), kind: .datagram, options: BindOptions()))
        == .invalidArgument)
    #expect(try errno(adopting: .open("/dev/null", .readOnly))?.name == "ENOTSOCK")
  }
}
