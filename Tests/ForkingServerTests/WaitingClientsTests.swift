import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

/// Two looks at a socket and what they prove.
@Suite(.timeLimit(.minutes(30))) struct WaitingClientsTests {
  private func verdict(
    _ socket: borrowing Descriptor, hasArrival: Bool, _ between: () throws -> Void
  ) rethrows -> WaitingClients.Verdict {
    let first = WaitingClients(ofStream: socket)
    try between()
    return first.verdict(at: WaitingClients(ofStream: socket), hasArrival: hasArrival)
  }

  @Test("tell for streams whether a client was taken, and nothing while clients come", arguments: [true, false])
  func judgeStreams(isUnix: Bool) throws {
    let directory = try TemporaryDirectory()
    let address: SocketAddress =
      isUnix ? .unixPath(UnixPath(directory["s"])) : try #require(SocketAddress("127.0.0.1:0"))
    let listening = try ListeningSocket(address, backlog: 16)
    let bound = try #require(listening.descriptor.localAddress().address)
    let first = try ClientSocket.connect(to: bound)
    let second = try ClientSocket.connect(to: bound)
    #expect(listening.descriptor.pendingConnections == 2)
    #expect(verdict(listening.descriptor, hasArrival: false) {} == .noneTaken)
    #expect(verdict(listening.descriptor, hasArrival: true) {} == .unknown)
    let taken = try verdict(listening.descriptor, hasArrival: false) { close(try accept(listening)) }
    #expect(taken == .someTaken)
    var third: Descriptor?
    let refilled = try verdict(listening.descriptor, hasArrival: true) {
      close(try accept(listening))
      third = try ClientSocket.connect(to: bound)
    }
    #expect(refilled == .unknown)
    #expect(try verdict(listening.descriptor, hasArrival: false) { close(try accept(listening)) } == .someTaken)
    _ = (first.number, second.number, third == nil)
  }

  private func accept(_ socket: borrowing ListeningSocket) throws -> CInt {
    let number = Glibc.accept(socket.descriptor.number, nil, nil)
    try #require(number >= 0)
    return number
  }

  @Test("tell equal datagrams of one sender apart", arguments: [AF_UNIX, AF_INET])
  func judgeDatagrams(family: CInt) throws {
    let pair = try DatagramPair(family: family)
    for _ in 0..<3 { try pair.send("again") }
    func look(isExact: Bool) -> WaitingClients { WaitingClients(ofDatagram: pair.reading, isExact: isExact) }
    let first = look(isExact: true)
    #expect(first.verdict(at: look(isExact: true), hasArrival: false) == .noneTaken)
    #expect(first.verdict(at: look(isExact: false), hasArrival: false) == .unknown)
    pair.take()
    let second = look(isExact: true)
    #expect(first.verdict(at: second, hasArrival: false) == .someTaken)
    #expect(second.verdict(at: look(isExact: true), hasArrival: false) == .noneTaken)
    pair.take()
    try pair.send("else")
    #expect(second.verdict(at: look(isExact: true), hasArrival: false) == .someTaken)
    pair.take()
    let last = look(isExact: false)
    pair.take()
    #expect(last.isAny && last.verdict(at: look(isExact: false), hasArrival: false) == .someTaken)
  }

  @Test("leave the socket's time-stamp option as it was", arguments: [29, 35, 63, 64] as [CInt])
  func keepTheOption(option: CInt) throws {
    let pair = try DatagramPair(family: AF_INET)
    try pair.send("x")
    var isOn: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    try #require(setsockopt(pair.reading.number, SOL_SOCKET, option, &isOn, size) == 0)
    #expect(WaitingClients(ofDatagram: pair.reading, isExact: true).isAny)
    var (found, length): (CInt, socklen_t) = (0, size)
    #expect(getsockopt(pair.reading.number, SOL_SOCKET, option, &found, &length) == 0 && found != 0)
  }

  @Test("open none of the descriptors that a datagram carries")
  func openNoPassedDescriptors() throws {
    let pair = try DatagramPair(family: AF_UNIX)
    let pipe = try PipeEnds()
    let number = pipe.writeEnd.number
    try [UInt8(1)].withUnsafeBytes { bytes in _ = try pair.writing.send(bytes, passing: [number]) }
    for isExact in [true, false, true] { #expect(WaitingClients(ofDatagram: pair.reading, isExact: isExact).isAny) }
    var pipes = 0
    var (own, other) = (stat(), stat())
    try #require(fstat(number, &own) == 0)
    for candidate in 0..<CInt(1024) where fstat(candidate, &other) == 0 && other.st_mode & S_IFMT == S_IFIFO {
      if other.st_ino == own.st_ino, other.st_dev == own.st_dev { pipes += 1 }
    }
    // Its two ends.
    #expect(pipes == 2)
    _ = pipe.readEnd.number
  }
}

/// A socket and another one that sends to it.
private struct DatagramPair: ~Copyable {
  let reading: Descriptor
  let writing: Descriptor

  init(family: CInt) throws {
    guard family == AF_UNIX else {
      let server = try DatagramSocket(#require(SocketAddress("127.0.0.1:0")))
      let address = try #require(server.descriptor.localAddress().address)
      let client = try DatagramSocket(#require(SocketAddress("127.0.0.1:0")))
      try ClientSocket.connect(client.descriptor, to: address)
      reading = Descriptor(owning: fcntl(server.descriptor.number, F_DUPFD_CLOEXEC, 0))
      writing = Descriptor(owning: fcntl(client.descriptor.number, F_DUPFD_CLOEXEC, 0))
      return
    }
    let pair = try SocketPair(kind: .datagram)
    reading = pair.first
    writing = pair.second
  }

  borrowing func send(_ text: String) throws {
    try Array(text.utf8).withUnsafeBytes { bytes in _ = try writing.send(bytes) }
  }

  borrowing func take() {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
      _ = try? reading.receive(into: room, waiting: false)
    }
  }
}
