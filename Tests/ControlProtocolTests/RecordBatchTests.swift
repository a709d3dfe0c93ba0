import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

@Suite struct RecordBatchTests {
  private func records(_ count: Int, seed: UInt64) -> [ConnectionRecord] {
    var random = SeededRandom(state: seed)
    return (0..<count).map { _ in .random(using: &random) }
  }

  @Test("brings its records to begatd in order", arguments: [1, 2, 63, 64])
  func bringsRecords(count: Int) throws {
    let channel = try Channel()
    var batch = try RecordBatch()
    for round in 0..<3 {
      let records = records(count, seed: UInt64(round))
      #expect(batch.isEmpty == true)
      for record in records { batch.append(record) }
      #expect(batch.isFull == (count == 64))
      #expect(batch.flush(lent: channel.listener.number) == 0)
      let bytes = try channel.receive()
      #expect(bytes.count <= ListenerChannel.largestMessage)
      #expect(bytes.withUnsafeBytes { ListenerChannel.listenerMessage($0) } == .connections(records))
    }
  }

  @Test("sends nothing when there is nothing")
  func sendsNothing() throws {
    let channel = try Channel()
    var batch = try RecordBatch()
    #expect(batch.flush(lent: channel.listener.number) == 0)
    #expect(channel.supervisor.wait(for: .readable, until: .immediate) == false)
  }

  @Test("shows each record where there is no begatd")
  func showsRecords() throws {
    var batch = try RecordBatch()
    let records = records(5, seed: 9)
    for record in records { batch.append(record) }
    var shown: [ConnectionRecord] = []
    #expect(batch.flush(to: nil) { shown.append($0) } == 0)
    #expect(shown == records && batch.isEmpty)
  }

  @Test("drops its records and counts them where the channel is full or closed")
  func countsDropped() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let listener = pair.first
    let supervisor = pair.second
    var batch = try RecordBatch()
    func flush(_ count: Int, _ batch: inout RecordBatch) -> Int {
      for record in records(count, seed: 1) { batch.append(record) }
      return batch.flush(lent: listener.number)
    }
    var sent = 0
    while flush(64, &batch) == 0, sent < 10_000 { sent += 1 }
    #expect(sent > 0 && sent < 10_000)
    #expect(flush(7, &batch) == 7 || flush(64, &batch) == 64)
    _ = consume supervisor
    #expect(flush(9, &batch) == 9)
    #expect(batch.isEmpty == true)
  }

  @Test("takes the next channel where the reader of the first has ended, not where it does not read")
  func takesNextChannel() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    let listener = pair.first
    let supervisor = pair.second
    let next = try Channel()
    var batch = try RecordBatch()
    var dropped = 0
    while dropped == 0 {
      for record in records(64, seed: 1) { batch.append(record) }
      dropped = batch.flush(lent: listener.number, orTo: next.listener.number)
    }
    #expect(dropped == 64)
    #expect(next.supervisor.wait(for: .readable, until: .immediate) == false)
    _ = consume supervisor
    let last = records(9, seed: 2)
    for record in last { batch.append(record) }
    #expect(batch.flush(lent: listener.number, orTo: next.listener.number) == 0)
    let bytes = try next.receive()
    #expect(bytes.withUnsafeBytes { ListenerChannel.listenerMessage($0) } == .connections(last))
  }
}
