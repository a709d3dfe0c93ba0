import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(1))) struct DescriptorTransferTests {
  @Test("moves bytes from a socket to a pipe and from there to a socket, and tells the end")
  func movesThroughAPipe() throws {
    let from = try Descriptor.socketPair(kind: streamKind)
    let pipe = try Pipe.open()
    let to = try Descriptor.socketPair(kind: streamKind)
    try from.writing.writeAll("moved")
    try #expect(from.reading.splice(to: pipe.writing, atMost: 3) == 3)
    try #expect(from.reading.splice(to: pipe.writing, atMost: 100) == 2)
    try #expect(pipe.reading.splice(to: to.writing, atMost: 100) == 5)
    let read = try to.reading.readToEnd(limit: 5)
    #expect(read == Array("moved".utf8))
    try from.writing.shutDownSending()
    try #expect(from.reading.splice(to: pipe.writing, atMost: 100) == 0)
  }

  @Test("does not wait for a pipe")
  func doesNotWait() throws {
    let pipe = try Pipe.open()
    let socket = try Descriptor.socketPair(kind: streamKind)
    #expect(
      failure { () throws(SystemCallError) in try pipe.reading.splice(to: socket.writing, atMost: 1) }?.code
        == .wouldBlock)
    try pipe.writing.setPipeCapacity(4096)
    try pipe.writing.writeAll(String(repeating: "x", count: 4096))
    try socket.writing.writeAll("y")
    #expect(
      failure { () throws(SystemCallError) in try socket.reading.splice(to: pipe.writing, atMost: 1) }?.code
        == .wouldBlock)
  }

  @Test("refuses what it cannot do, for the caller to copy instead")
  func refusesOthers() throws {
    let sockets = try Descriptor.socketPair(kind: streamKind)
    let null = try Descriptor.open("/dev/null", O_RDWR)
    #expect(
      failure { () throws(SystemCallError) in try sockets.reading.splice(to: null, atMost: 1) }?.code
        == .invalidArgument)
    #expect(throws: SystemCallError.self) { try sockets.reading.sendFile(to: null, atMost: 1) }
  }

  @Test("sends a file from where its reader stands, and tells the end")
  func sendsAFile() throws {
    let directory = try TemporaryDirectory()
    let file = try Descriptor.open(directory["file"], O_RDWR | O_CREAT)
    try file.writeAll("0123456789")
    lseek(file.number, 4, SEEK_SET)
    let sockets = try Descriptor.socketPair(kind: streamKind)
    try #expect(file.sendFile(to: sockets.writing, atMost: 100) == 6)
    let read = try sockets.reading.readToEnd(limit: 6)
    #expect(read == Array("456789".utf8))
    try #expect(file.sendFile(to: sockets.writing, atMost: 100) == 0)
  }

  @Test("copies a file to a file, each from where it stands")
  func copiesAFile() throws {
    let directory = try TemporaryDirectory()
    let from = try Descriptor.open(directory["from"], O_RDWR | O_CREAT)
    try from.writeAll("0123456789")
    lseek(from.number, 4, SEEK_SET)
    let to = try Descriptor.open(directory["to"], O_RDWR | O_CREAT)
    try to.writeAll("abc")
    try #expect(from.copyRange(to: to, atMost: 100) == 6)
    try #expect(from.copyRange(to: to, atMost: 100) == 0)
    lseek(to.number, 0, SEEK_SET)
    let read = try to.readToEnd(limit: 100)
    #expect(read == Array("abc456789".utf8))
    let sockets = try Descriptor.socketPair(kind: streamKind)
    #expect(throws: SystemCallError.self) { try from.copyRange(to: sockets.writing, atMost: 1) }
  }

  @Test("holds as much as was asked for")
  func hasItsCapacity() throws {
    let pipe = try Pipe.open()
    try pipe.writing.setPipeCapacity(1 << 20)
    // Nobody reads: a smaller pipe would let the write wait for ever.
    try pipe.writing.writeAll(String(repeating: "x", count: 1 << 20))
    #expect(throws: SystemCallError.self) { try pipe.writing.setPipeCapacity(4096) }
  }
}
