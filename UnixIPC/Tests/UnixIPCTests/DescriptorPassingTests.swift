import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct DescriptorPassingTests {
  private func send(_ text: String, passing numbers: [CInt], on socket: borrowing Descriptor) throws -> Int {
    try Array(text.utf8).withUnsafeBytes { try socket.send($0, passing: numbers) }
  }

  private func failureOfSending(_ text: String, _ numbers: [CInt], on socket: borrowing Descriptor) -> ErrorCode? {
    Array(text.utf8).withUnsafeBytes { bytes in
      failure { () throws(SystemCallError) in try socket.send(bytes, passing: numbers) }?.code
    }
  }

  @Test("gives python3 an open file")
  func givesPython() throws {
    let directory = try TemporaryDirectory()
    try directory.write("said in the file".utf8, to: "file")
    let pair = try SocketPair(kind: .stream)
    let own = pair.first
    let its = pair.second
    let python = try Counterpart.python(
      """
      import os, socket
      data, numbers, flags, address = socket.recv_fds(socket.socket(fileno=3), 100, 5)
      print(data, len(numbers), *(os.read(number, 100) for number in numbers))
      """, descriptors: [its.number])
    do {
      let file = try Descriptor.open(directory["file"], .readOnly)
      let second = try Descriptor.open("/dev/null", .readOnly)
      #expect(try send("here", passing: [file.number, second.number], on: own) == 4)
    }
    #expect(try python.line() == "b'here' 2 b'said in the file' b''")
  }

  @Test(
    "takes what python3 passes, in its order and close-on-exec", arguments: [SocketKind.stream, SocketKind.datagram])
  func takesFromPython(kind: SocketKind) throws {
    let pair = try SocketPair(kind: kind)
    let own = pair.first
    let its = pair.second
    let python = try Counterpart.python(
      """
      import os, socket
      s = socket.socket(fileno=3)
      a, b = os.pipe(), os.pipe()
      socket.send_fds(s, [b'two'], [a[1], b[1]])
      os.close(a[1]); os.close(b[1])
      print(os.read(a[0], 100), os.read(b[0], 100))
      """, descriptors: [its.number])
    try #require(own.wait(for: .readable, until: Deadline(after: .milliseconds(20_000))) == true)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
    defer { room.deallocate() }
    var message = try own.receive(into: room, maxPassed: 2)
    let (count, isTruncated, passed) = (message.count, message.isTruncated, message.descriptors.count)
    #expect(count == 3 && !isTruncated && passed == 2)
    do {
      var isFirst = true
      while let end = message.descriptors.takeFirst() {
        #expect(end.isCloseOnExec == true)
        try end.writeAll(isFirst ? "first" : "second")
        isFirst = false
      }
      let isEmpty = message.descriptors.isEmpty
      #expect(isEmpty)
    }
    #expect(try python.line() == "b'first' b'second'")
  }

  @Test("is bytes only where none is passed, and then the end")
  func passesNothing() throws {
    let pair = try SocketPair(kind: .stream)
    let reading = pair.first
    do {
      let writing = pair.second
      #expect(try send("plain", passing: [], on: writing) == 5)
    }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
    defer { room.deallocate() }
    for expected in [5, 0] {
      let message = try reading.receive(into: room, maxPassed: 3)
      let (count, isEmpty) = (message.count, message.descriptors.isEmpty)
      #expect(count == expected && isEmpty)
    }
  }

  @Test("says that a datagram was cut")
  func saysThatItWasCut() throws {
    let pair = try SocketPair(kind: .datagram)
    _ = try send("0123456789", passing: [0], on: pair.second)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
    defer { room.deallocate() }
    let message = try pair.first.receive(into: room, maxPassed: 1)
    let (count, isTruncated, passed) = (message.count, message.isTruncated, message.descriptors.count)
    #expect(count == 4 && isTruncated && passed == 1)
  }

  @Test("refuses what cannot be passed")
  func refuses() throws {
    let pair = try SocketPair(kind: .stream)
    #expect(failureOfSending("", [0], on: pair.second) == .invalidArgument)
    #expect(failureOfSending("x", [1 << 20], on: pair.second) == ErrorCode.badFileDescriptor)
    let tooMany = [CInt](repeating: 0, count: Descriptor.maxPassed + 1)
    #expect(failureOfSending("x", tooMany, on: pair.second) == .invalidArgument)
    #expect(failureOfSending("x", tooMany.dropLast(), on: pair.second) == nil)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
    defer { room.deallocate() }
    let message = try pair.first.receive(into: room, maxPassed: .max)
    let passed = message.descriptors.count
    #expect(passed == Descriptor.maxPassed)
    let nothing = failure { () throws(SystemCallError) in
      try pair.first.receive(into: room, maxPassed: 1, waiting: false)
    }
    #expect(nothing == pair.first.failure("recvmsg", .wouldBlock))
  }

  @Test("leaks nothing, however many a peer passes")
  func leaksNothing() throws { try ProbeProgram.check("passing-hostile") }

  @Test("leaks nothing where this process has no room")
  func hasNoRoom() throws { try ProbeProgram.check("passing-no-room") }
}
