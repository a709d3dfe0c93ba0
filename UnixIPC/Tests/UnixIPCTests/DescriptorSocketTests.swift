import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(1))) struct DescriptorSocketTests {
  @Test("knows what kind of socket it is, if any")
  func knowsItsKind() throws {
    for kind in [streamKind, datagramKind, sequencedPacketKind] {
      let pair = try Descriptor.socketPair(kind: kind)
      #expect(pair.reading.socketKind == kind && pair.writing.socketKind == kind)
      #expect(pair.reading.isListening == false)
    }
    #expect(try Descriptor.open("/dev/null", O_RDONLY).socketKind == nil)
    #expect(try Descriptor.open("/dev/null", O_RDONLY).isListening == false)
  }

  @Test("says that nothing is there instead of waiting, in both directions")
  func doesNotWait() throws {
    let pair = try Descriptor.socketPair(kind: streamKind)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 1)
    defer { room.deallocate() }
    room.initializeMemory(as: UInt8.self, repeating: 0)
    #expect(
      failure { () throws(SystemCallError) in try pair.reading.receive(into: room, waiting: false) }?.code
        == .wouldBlock)
    #expect(pair.reading.waitUntilReadable(milliseconds: 0) == false)
    let full = failure { () throws(SystemCallError) in
      while true { _ = try pair.writing.send(UnsafeRawBufferPointer(room), waiting: false) }
    }
    #expect(full?.code == .wouldBlock)
    #expect(pair.reading.waitUntilReadable(milliseconds: 0) == true)
  }

  @Test("says that the peer is gone, without a signal")
  func saysThatThePeerIsGone() throws {
    let pair = try Descriptor.socketPair(kind: streamKind)
    let ours = pair.reading
    _ = consume pair.writing
    withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { room in
      #expect(
        failure { () throws(SystemCallError) in try ours.send(UnsafeRawBufferPointer(room)) }?.code == .brokenPipe)
    }
    #expect(try ours.readToEnd() == [])
  }

  @Test("ends its own direction only")
  func endsItsOwnDirection() throws {
    let pair = try Descriptor.socketPair(kind: streamKind)
    let (ours, theirs) = (pair.reading.number, pair.writing.number)
    try pair.reading.writeAll("last")
    try pair.reading.shutDownSending()
    #expect(try pair.writing.readToEnd() == Array("last".utf8))
    try pair.writing.writeAll("answer")
    try pair.writing.shutDownSending()
    #expect(try pair.reading.readToEnd() == Array("answer".utf8))
    #expect(ours != theirs)
  }
}
