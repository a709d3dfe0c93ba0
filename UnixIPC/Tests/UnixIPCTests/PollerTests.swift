import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct PollerTests {
  private func ready(_ poller: borrowing Poller, until deadline: Deadline = .immediate) -> [UInt64: Poller.Interest] {
    var found: [UInt64: Poller.Interest] = [:]
    let count = poller.wait(until: deadline) { found[$0.token] = $0.ready }
    #expect(count == found.count)
    return found
  }

  @Test("tells what is ready by the number it was given")
  func tellsWhatIsReady() throws {
    let poller = try Poller()
    let first = try SocketPair(kind: .stream)
    let second = try SocketPair(kind: .stream)
    try poller.add(first.first, .readable, token: 7)
    try poller.add(second.first, .readable, token: .max)
    #expect(ready(poller) == [:])
    try second.second.writeAll("x")
    #expect(ready(poller, until: .never) == [.max: .readable])
    // Level-triggered: as long as it is there, it is told.
    #expect(ready(poller) == [.max: .readable])
    try first.second.writeAll("x")
    #expect(ready(poller) == [7: .readable, .max: .readable])
    try poller.change(first.first, [.readable, .writable], token: 8)
    #expect(ready(poller)[8] == [.readable, .writable])
    try poller.remove(first.first)
    #expect(ready(poller) == [.max: .readable])
  }

  @Test("tells that the other side hung up without being asked")
  func tellsOfHangUp() throws {
    let poller = try Poller()
    let pair = try SocketPair(kind: .stream)
    let ours = pair.first
    try poller.add(ours, [], token: 1)
    _ = consume pair.second
    #expect(ready(poller, until: .never)[1]?.contains(.hungUp) == true)
  }

  @Test("tells of as many at a time as are wanted, and of the others next")
  func tellsOfSome() throws {
    let poller = try Poller()
    var numbers: [CInt] = []
    for token in 0..<40 {
      let pair = try SocketPair(kind: .stream)
      try poller.add(pair.first, .writable, token: UInt64(token))
      numbers += [pair.first.release(), pair.second.release()]
    }
    defer { for number in numbers { _ = Descriptor(owning: number) } }
    var seen: Set<UInt64> = []
    for _ in 0..<3 { #expect(poller.wait(until: .immediate, maxCount: 16) { seen.insert($0.token) } == 16) }
    #expect(seen.count == 40)
    #expect(poller.wait { _ in } == 40)
    for (count, expected) in [(.max, 40), (0, 1), (.min, 1)] as [(Int, Int)] {
      #expect(poller.wait(maxCount: count) { _ in } == expected)
    }
  }

  @Test("refuses what cannot be watched")
  func refuses() throws {
    let poller = try Poller()
    let pair = try SocketPair(kind: .stream)
    try poller.add(pair.first, .readable, token: 1)
    let number = pair.first.number
    #expect(throws: SystemCallError("epoll_ctl", onDescriptor: number, code: .fileExists)) {
      try poller.add(pair.first, .readable, token: 2)
    }
    let other = pair.second.number
    #expect(throws: SystemCallError("epoll_ctl", onDescriptor: other, code: .noSuchFileOrDirectory)) {
      try poller.remove(pair.second)
    }
    let file = try Descriptor.open("/etc/passwd", .readOnly)
    let third = file.number
    #expect(throws: SystemCallError("epoll_ctl", onDescriptor: third, code: .notPermitted)) {
      try poller.add(file, .readable, token: 3)
    }
  }

  @Test("waits no longer than its deadline or its cancellation")
  func waitsNoLonger() throws {
    let poller = try Poller()
    let deadline = Deadline(after: .milliseconds(5))
    #expect(poller.wait(until: deadline) { _ in } == 0 && deadline.isExpired)
    try withDeadline(after: .milliseconds(5)) {
      #expect(poller.wait { _ in } == 0 && Deadline.current.isExpired)
    }
    let cancellation = try Cancellation()
    let thread = Background { cancellation.cancel() }
    #expect(poller.wait(cancelledBy: cancellation) { _ in } == 0)
    thread.join()
    #expect(poller.wait(until: deadline, cancelledBy: try Cancellation()) { _ in } == 0)
  }
}
