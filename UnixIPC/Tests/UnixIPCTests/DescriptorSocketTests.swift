import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorSocketTests {
  @Test("knows what kind of socket it is, if any")
  func knowsItsKind() throws {
    for kind in [SocketKind.stream, SocketKind.datagram, SocketKind.sequencedPacket] {
      let pair = try SocketPair(kind: kind)
      #expect(pair.first.socketKind == kind && pair.second.socketKind == kind)
      #expect(pair.first.isListening == false)
    }
    #expect(try Descriptor.open("/dev/null", .readOnly).socketKind == nil)
    #expect(try Descriptor.open("/dev/null", .readOnly).isListening == false)
  }

  @Test("knows that its peer is gone, whatever is still to be read")
  func knowsThatItsPeerIsGone() throws {
    let pair = try SocketPair(kind: .stream)
    try pair.second.writeAll("x")
    #expect(pair.first.hasHungUp == false)
    try pair.second.shutDownSending()
    #expect(pair.first.hasHungUp == false)
    #expect(shutdown(pair.second.number, CInt(SHUT_RDWR)) == 0)
    #expect(pair.first.hasHungUp == true)
  }

  @Test("says that nothing is there instead of waiting, in both directions")
  func doesNotWait() throws {
    let pair = try SocketPair(kind: .stream)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 1)
    defer { room.deallocate() }
    room.initializeMemory(as: UInt8.self, repeating: 0)
    #expect(
      failure { () throws(SystemCallError) in try pair.first.receive(into: room, waiting: false) }?.code
        == .wouldBlock)
    #expect(pair.first.wait(for: .readable, until: .immediate) == false)
    let full = failure { () throws(SystemCallError) in
      while true { _ = try pair.second.send(UnsafeRawBufferPointer(room), waiting: false) }
    }
    #expect(full?.code == .wouldBlock)
    #expect(pair.first.wait(for: .readable, until: .immediate) == true)
  }

  @Test("says that the peer is gone, without a signal")
  func saysThatThePeerIsGone() throws {
    let pair = try SocketPair(kind: .stream)
    let ours = pair.first
    _ = consume pair.second
    withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { room in
      #expect(
        failure { () throws(SystemCallError) in try ours.send(UnsafeRawBufferPointer(room)) }?.code == .brokenPipe)
    }
    #expect(try ours.readToEnd() == [])
  }

  @Test("ends its own direction only")
  func endsItsOwnDirection() throws {
    let pair = try SocketPair(kind: .stream)
    let (ours, theirs) = (pair.first.number, pair.second.number)
    try pair.first.writeAll("last")
    try pair.first.shutDownSending()
    #expect(try pair.second.readToEnd() == Array("last".utf8))
    try pair.second.writeAll("answer")
    try pair.second.shutDownSending()
    #expect(try pair.first.readToEnd() == Array("answer".utf8))
    #expect(ours != theirs)
  }
}
