import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct DescriptorTransferTests {
  @Test("moves bytes from a socket to a pipe and from there to a socket, and tells the end")
  func movesThroughAPipe() throws {
    let from = try SocketPair(kind: .stream)
    let pipe = try PipeEnds()
    let to = try SocketPair(kind: .stream)
    try from.second.writeAll("moved")
    try #expect(from.first.splice(to: pipe.writeEnd, atMost: 3) == 3)
    try #expect(from.first.splice(to: pipe.writeEnd, atMost: 100) == 2)
    try #expect(pipe.readEnd.splice(to: to.second, atMost: 100) == 5)
    let read = try to.first.readPrefix(5)
    #expect(read == Array("moved".utf8))
    try from.second.shutDownSending()
    try #expect(from.first.splice(to: pipe.writeEnd, atMost: 100) == 0)
  }

  @Test("does not wait for a pipe")
  func doesNotWait() throws {
    let pipe = try PipeEnds()
    let socket = try SocketPair(kind: .stream)
    #expect(
      failure { () throws(SystemCallError) in try pipe.readEnd.splice(to: socket.second, atMost: 1) }?.code
        == .wouldBlock)
    try pipe.writeEnd.setPipeCapacity(4096)
    try pipe.writeEnd.writeAll(String(repeating: "x", count: 4096))
    try socket.second.writeAll("y")
    #expect(
      failure { () throws(SystemCallError) in try socket.first.splice(to: pipe.writeEnd, atMost: 1) }?.code
        == .wouldBlock)
  }

  @Test("refuses what it cannot do, for the caller to copy instead")
  func refusesOthers() throws {
    let sockets = try SocketPair(kind: .stream)
    let null = try Descriptor.open("/dev/null", .readWrite)
    #expect(
      failure { () throws(SystemCallError) in try sockets.first.splice(to: null, atMost: 1) }?.code
        == .invalidArgument)
    #expect(throws: SystemCallError.self) { try sockets.first.sendFile(to: null, atMost: 1) }
  }

  @Test("sends a file from where its reader stands, and tells the end")
  func sendsAFile() throws {
    let directory = try TemporaryDirectory()
    let file = try Descriptor.open(directory["file"], [.readWrite, .create])
    try file.writeAll("0123456789")
    lseek(file.number, 4, SEEK_SET)
    let sockets = try SocketPair(kind: .stream)
    try #expect(file.sendFile(to: sockets.second, atMost: 100) == 6)
    let read = try sockets.first.readPrefix(6)
    #expect(read == Array("456789".utf8))
    try #expect(file.sendFile(to: sockets.second, atMost: 100) == 0)
  }

  @Test("copies a file to a file, each from where it stands")
  func copiesAFile() throws {
    let directory = try TemporaryDirectory()
    let from = try Descriptor.open(directory["from"], [.readWrite, .create])
    try from.writeAll("0123456789")
    lseek(from.number, 4, SEEK_SET)
    let to = try Descriptor.open(directory["to"], [.readWrite, .create])
    try to.writeAll("abc")
    try #expect(from.copyRange(to: to, atMost: 100) == 6)
    try #expect(from.copyRange(to: to, atMost: 100) == 0)
    lseek(to.number, 0, SEEK_SET)
    let read = try to.readPrefix(100)
    #expect(read == Array("abc456789".utf8))
    let sockets = try SocketPair(kind: .stream)
    #expect(throws: SystemCallError.self) { try from.copyRange(to: sockets.second, atMost: 1) }
  }

  @Test("holds as much as was asked for")
  func hasItsCapacity() throws {
    let pipe = try PipeEnds()
    try pipe.writeEnd.setPipeCapacity(1 << 20)
    // Nobody reads: a smaller pipe would let the write wait forever.
    try pipe.writeEnd.writeAll(String(repeating: "x", count: 1 << 20))
    #expect(throws: SystemCallError.self) { try pipe.writeEnd.setPipeCapacity(4096) }
  }

  @Test("refuses a negative count and cuts one that is too great")
  func checksCounts() throws {
    let directory = try TemporaryDirectory()
    try directory.write("abcdef".utf8, to: "from")
    let file = try Descriptor.open(directory["from"], .readOnly)
    let copy = try Descriptor.open(directory["to"], [.readWrite, .create])
    let pipe = try PipeEnds()
    #expect(lseek(file.number, 2, SEEK_SET) == 2)
    for count in [-1, Int.min] {
      let copied = failure { () throws(SystemCallError) in try file.copyRange(to: copy, atMost: count) }
      let sent = failure { () throws(SystemCallError) in try file.sendFile(to: copy, atMost: count) }
      let spliced = failure { () throws(SystemCallError) in try file.splice(to: pipe.writeEnd, atMost: count) }
      #expect([copied?.code, sent?.code, spliced?.code] == [.invalidArgument, .invalidArgument, .invalidArgument])
    }
    #expect(try file.copyRange(to: copy, atMost: .max) == 4)
    #expect(lseek(file.number, 3, SEEK_SET) == 3)
    #expect(try file.sendFile(to: copy, atMost: .max) == 3)
    #expect(lseek(file.number, 4, SEEK_SET) == 4)
    #expect(try file.splice(to: pipe.writeEnd, atMost: .max) == 2)
  }
}
