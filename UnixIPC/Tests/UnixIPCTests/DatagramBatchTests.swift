import Glibc
import Testing
@_spi(Begat) import UnixCore

@Suite(.timeLimit(.minutes(30))) struct DatagramBatchTests {
  private func received(by socket: borrowing Descriptor) throws -> [String] {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    defer { room.deallocate() }
    var texts: [String] = []
    while let count = try? socket.receive(into: room, waiting: false) {
      texts.append(String(decoding: room[..<count], as: UTF8.self))
    }
    return texts
  }

  @Test("keeps datagrams apart and in their order")
  func keepsThemApart() throws {
    let pair = try SocketPair(kind: .datagram)
    var batch = DatagramBatch(size: 1024, largest: 8)
    for text in ["one", "", "three", "too long by far"] { batch.append { $0.append(text) } }
    #expect(batch.count == 4)
    let count = try batch.send(from: 0, on: pair.first)
    #expect(count == 4)
    #expect(try received(by: pair.second) == ["one", "", "three", "too long"])
    let rest = try batch.send(from: 2, on: pair.first)
    #expect(rest == 2)
    #expect(try received(by: pair.second) == ["three", "too long"])
    batch.removeAll()
    #expect(batch.count == 0)
    batch.append { $0.append("again") }
    _ = try batch.send(from: 0, on: pair.first)
    #expect(try received(by: pair.second) == ["again"])
  }

  @Test("is full when there may be no room for another, by number or by size")
  func isFull() {
    var many = DatagramBatch(size: 1 << 20, largest: 16)
    var states: [Bool] = []
    for _ in 0..<DatagramBatch.capacity {
      states.append(many.isFull)
      many.append { $0.append("x") }
    }
    states.append(many.isFull)
    #expect(states == Array(repeating: false, count: DatagramBatch.capacity) + [true])
    var large = DatagramBatch(size: 20, largest: 16)
    large.append { $0.append("12345") }
    states = [large.isFull]
    large.removeAll()
    states.append(large.isFull)
    #expect(states == [true, false])
  }

  @Test("sends as many as the receiver takes, and reports that it takes none")
  func sendsWhatIsTaken() throws {
    let pair = try SocketPair(kind: .datagram)
    var sent = 0
    var batch = DatagramBatch(size: 65_536, largest: 1024)
    while !batch.isFull { batch.append { $0.append(String(repeating: "x", count: 1000)) } }
    do throws(SystemCallError) {
      while sent < 1_000_000 { sent += try batch.send(from: 0, on: pair.first) }
      Issue.record("a socket takes everything")
    } catch { #expect(error.code == .wouldBlock) }
    #expect(try received(by: pair.second).count == sent)
  }
}
