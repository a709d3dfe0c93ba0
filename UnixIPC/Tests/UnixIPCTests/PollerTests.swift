import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(1))) struct PollerTests {
  private func ready(_ poller: borrowing Poller, milliseconds: CInt = 0) -> [UInt64: Poller.Interest] {
    var found: [UInt64: Poller.Interest] = [:]
    let count = poller.wait(milliseconds: milliseconds) { found[$0.token] = $0.ready }
    #expect(count == found.count)
    return found
  }

  @Test("tells what is ready by the number it was given")
  func tellsWhatIsReady() throws {
    let poller = try Poller()
    let first = try SocketPair(kind: .stream)
    let second = try SocketPair(kind: .stream)
    try poller.add(first.first.number, .readable, token: 7)
    try poller.add(second.first.number, .readable, token: .max)
    #expect(ready(poller) == [:])
    try second.second.writeAll("x")
    #expect(ready(poller, milliseconds: -1) == [.max: .readable])
    // Level-triggered: as long as it is there, it is told.
    #expect(ready(poller) == [.max: .readable])
    try first.second.writeAll("x")
    #expect(ready(poller) == [7: .readable, .max: .readable])
    try poller.change(first.first.number, [.readable, .writable], token: 8)
    #expect(ready(poller)[8] == [.readable, .writable])
    try poller.remove(first.first.number)
    #expect(ready(poller) == [.max: .readable])
  }

  @Test("tells that the other side hung up without being asked")
  func tellsOfHangUp() throws {
    let poller = try Poller()
    let pair = try SocketPair(kind: .stream)
    let ours = pair.first
    try poller.add(ours.number, [], token: 1)
    _ = consume pair.second
    #expect(ready(poller, milliseconds: -1)[1]?.contains(.hungUp) == true)
  }

  @Test("tells of 16 at a time, and of the others next")
  func tellsOfSixteen() throws {
    let poller = try Poller()
    var numbers: [CInt] = []
    for token in 0..<40 {
      let pair = try SocketPair(kind: .stream)
      try poller.add(pair.first.number, .writable, token: UInt64(token))
      numbers += [pair.first.release(), pair.second.release()]
    }
    defer { for number in numbers { _ = Descriptor(owning: number) } }
    var seen: Set<UInt64> = []
    for _ in 0..<3 { #expect(poller.wait(milliseconds: 0) { seen.insert($0.token) } == 16) }
    #expect(seen.count == 40)
  }

  @Test("refuses what cannot be watched")
  func refuses() throws {
    let poller = try Poller()
    let pair = try SocketPair(kind: .stream)
    try poller.add(pair.first.number, .readable, token: 1)
    #expect(throws: SystemCallError("epoll_ctl", code: .fileExists)) {
      try poller.add(pair.first.number, .readable, token: 2)
    }
    #expect(throws: SystemCallError("epoll_ctl", code: .noSuchFileOrDirectory)) { try poller.remove(pair.second.number) }
    let file = try Descriptor.open("/etc/passwd", .readOnly)
    #expect(throws: SystemCallError("epoll_ctl", code: .notPermitted)) {
      try poller.add(file.number, .readable, token: 3)
    }
  }
}
