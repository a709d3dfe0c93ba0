import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct SocketSendingTests {
  private let soon: Duration = .seconds(20)

  @Test("sends all of a text, an array and a span")
  func sendsAll() throws {
    let pair = try SocketPair(kind: .stream)
    let (own, its) = (pair.first.number, pair.second.number)
    #expect(own != its)
    try pair.first.sendAll("text ")
    try pair.first.sendAll(Array("array ".utf8), until: Deadline(after: soon))
    try pair.first.sendAll("span".utf8Span.span.bytes)
    #expect(try pair.second.receive(maxCount: 100, until: Deadline(after: soon)) == Array("text array span".utf8))
  }

  @Test("stops at the deadline when the peer takes nothing, whatever the socket's flags", arguments: [false, true])
  func stopsAtDeadline(isNonBlocking: Bool) throws {
    let pair = try SocketPair(kind: .stream)
    try pair.first.setNonBlocking(isNonBlocking)
    let much = [UInt8](repeating: 1, count: 1 << 24)
    let late = failure { () throws(SystemCallError) in
      try pair.first.sendAll(much, until: Deadline(after: .milliseconds(20)))
    }
    #expect(late?.code == .timedOut && late?.call == "send")
    #expect(pair.second.number >= 0)
  }

  @Test("stops when it is cancelled")
  func stopsWhenCancelled() throws {
    let pair = try SocketPair(kind: .stream)
    let cancellation = try Cancellation()
    cancellation.cancel()
    let ended = failure { () throws(SystemCallError) in
      try pair.first.sendAll([UInt8](repeating: 1, count: 1 << 24), cancelledBy: cancellation)
    }
    #expect(ended?.code == .canceled)
    let nothing = failure { () throws(SystemCallError) in
      try pair.first.receive(maxCount: 1, cancelledBy: cancellation)
    }
    #expect(nothing?.code == .canceled)
    #expect(pair.second.number >= 0)
  }

  @Test("fills what is left of a span")
  func fillsSpan() throws {
    let pair = try SocketPair(kind: .stream)
    try pair.second.sendAll("abcdef")
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 4) { room, initialized in
      var span = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(room), initializedCount: 0)
      span.append(UInt8(ascii: "-"))
      count = (try? pair.first.receive(into: &span)) ?? -1
      count += (try? pair.first.receive(into: &span)) ?? -100
      initialized = span.finalize(for: UnsafeMutableRawBufferPointer(room))
    }
    #expect(bytes == Array("-abc".utf8) && count == 3)
    var rest: [UInt8] = []
    rest = try pair.first.read(maxCount: 10, until: Deadline(after: soon))
    #expect(rest == Array("def".utf8))
  }

  @Test("waits for the first bytes until a deadline")
  func receivesUntil() throws {
    let pair = try SocketPair(kind: .stream)
    for receive in [true, false] {
      let late = failure { () throws(SystemCallError) in
        let deadline = Deadline(after: .milliseconds(10))
        return receive
          ? try pair.first.receive(maxCount: 5, until: deadline) : try pair.first.read(maxCount: 5, until: deadline)
      }
      #expect(late?.code == .timedOut)
    }
    try pair.second.shutDownSending()
    #expect(try pair.first.receive(maxCount: 5) == [])
  }
}
