import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorTests {
  @Test("closes with its owner")
  func closesWithItsOwner() throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    do {
      let writing = ends.writeEnd
      try writing.writeAll("a")
    }
    #expect(try reading.readToEnd() == [UInt8(ascii: "a")])
  }

  @Test("stays open when it is handed over")
  func staysOpenWhenReleased() throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let number = ends.writeEnd.release()
    #expect(reading.wait(for: .readable, until: .immediate) == false)
    try Descriptor(owning: number).writeAll("late")
    #expect(try reading.readToEnd() == Array("late".utf8))
  }

  @Test("stays open when it was lent, whether or not the borrower throws")
  func staysOpenWhenLent() throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let number = ends.writeEnd.release()
    try Descriptor.withBorrowed(number) { try $0.writeAll("one ") }
    let error = SystemCallError("link", code: .fileExists)
    #expect(throws: error) { try Descriptor.withBorrowed(number) { _ throws(SystemCallError) in throw error } }
    try Descriptor(owning: number).writeAll("two")
    #expect(try reading.readToEnd() == Array("one two".utf8))
  }

  @Test("is a bug of ours when somebody else closed it")
  func isABugWhenStolen() throws { try ProbeProgram.check("descriptor-stolen") }

  @Test("is close-on-exec, wherever it comes from")
  func isCloseOnExec() throws {
    let file = try Descriptor.open("/dev/null", .readWrite)
    #expect(file.isCloseOnExec == true)
    #expect(try file.duplicate(notBelow: 100).isCloseOnExec == true)
    let pipe = try PipeEnds()
    #expect(pipe.readEnd.isCloseOnExec && pipe.writeEnd.isCloseOnExec)
    let pair = try SocketPair(kind: .stream)
    #expect(pair.first.isCloseOnExec && pair.second.isCloseOnExec)
    #expect(try Descriptor.socket(family: .ipv4, kind: .datagram).isCloseOnExec == true)
    #expect(try Poller().descriptor.isCloseOnExec)
    #expect(try MemoryFile.create(name: "test", size: 1).isCloseOnExec == true)
    try file.setCloseOnExec(false)
    #expect(file.isCloseOnExec == false)
    try file.setCloseOnExec(true)
    #expect(file.isCloseOnExec == true)
  }

  @Test("is duplicated at the lowest free number that is asked for")
  func isDuplicated() throws {
    let file = try Descriptor.open("/dev/null", .readWrite)
    let copy = try file.duplicate(notBelow: 700)
    #expect(copy.number >= 700)
    #expect(try copy.duplicate(notBelow: copy.number).number > copy.number)
  }

  @Test("becomes non-blocking and blocking again")
  func becomesNonBlocking() throws {
    let pipe = try PipeEnds()
    #expect(pipe.readEnd.isBlocking == true)
    try pipe.readEnd.setNonBlocking(true)
    #expect(pipe.readEnd.isBlocking == false)
    withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { room in
      #expect(failure { () throws(SystemCallError) in try pipe.readEnd.read(into: room) }?.code == .wouldBlock)
    }
    try pipe.readEnd.setNonBlocking(false)
    #expect(pipe.readEnd.isBlocking == true)
  }

  @Test("names the file that cannot be opened")
  func namesTheFile() {
    #expect(throws: SystemCallError("open", on: "/nonexistent/file", code: .noSuchFileOrDirectory)) {
      _ = try Descriptor.open("/nonexistent/file", .readOnly)
    }
  }

  @Test("writes all, however small the room")
  func writesAll() throws {
    let pair = try SocketPair(kind: .stream)
    let reading = pair.first
    let writing = pair.second
    try writing.setOption(SOL_SOCKET, SO_SNDBUF, 4096)
    let text = String(repeating: "0123456789", count: 50_000)
    let number = writing.release()
    let writer = Background {
      let writing = Descriptor(owning: number)
      try? writing.writeAll(text)
    }
    #expect(try reading.readToEnd() == Array(text.utf8))
    writer.join()
  }

  @Test("closes ranges")
  func closesRanges() throws { try ProbeProgram.check("descriptor-range") }
}
