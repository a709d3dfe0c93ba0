import CSharedLayouts
import Settings
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

extension ConnectionRecord {
  static func random(using random: inout SeededRandom) -> ConnectionRecord {
    let port = UInt16.random(in: 0...(.max), using: &random)
    let peers: [SocketAddress?] = [
      nil, .unixUnnamed, .ipv4(IPv4Address(rawValue: .random(in: 0...(.max), using: &random)), port: port),
      .ipv6(
        IPv6Address(high: .random(in: 0...(.max), using: &random), low: .random(in: 0...(.max), using: &random)),
        port: port, scope: .random(in: 0...9, using: &random)),
    ]
    let peer = peers.randomElement(using: &random)!
    let signal = Signal(rawValue: .random(in: 1...64, using: &random))
    let outcomes: [Outcome] = [
      .complete, .clientClosed, .firstByteTimeout, .idleTimeout, .maxDuration, .failed, .ended(by: signal),
      .crashed(by: signal), .exited(status: .random(in: 1...255, using: &random)),
    ]
    /// Not known to one record in four.
    func count() -> UInt64? {
      Int.random(in: 0..<4, using: &random) == 0 ? nil : .random(in: 0..<ConnectionRecord.unknownCount, using: &random)
    }
    var record = ConnectionRecord(
      process: .random(in: 1...(.max), using: &random), peer: peer,
      user: peer == .unixUnnamed ? .random(in: 0...(.max), using: &random) : nil,
      duration: .nanoseconds(Int64.random(in: 0...(1 << 60), using: &random)),
      received: count(), sent: count(), outcome: outcomes.randomElement(using: &random)!)
    record.ender = Ender.allCases.randomElement(using: &random)!
    record.via = peers.randomElement(using: &random)!
    record.event = Bool.random(using: &random) ? .ended : .opened
    record.socket = .random(in: -1...(.max), using: &random)
    return record
  }
}

extension RecordBatch {
  mutating func append(_ record: ConnectionRecord) {
    append(
      begat_record(
        record.event, process: record.process, peer: PeerFields(record.peer), via: PeerFields(record.via),
        user: record.user ?? 0, socket: record.socket, text: PeerText(.full),
        duration: record.duration.components.seconds * 1_000_000_000
          + record.duration.components.attoseconds / 1_000_000_000,
        received: record.received ?? ConnectionRecord.unknownCount, sent: record.sent ?? ConnectionRecord.unknownCount,
        outcome: record.outcome, ender: record.ender))
  }
}

extension RecordBatch {
  /// Sends the records on a channel that stays its owner's; returns how many were dropped.
  mutating func flush(lent number: CInt, orTo nextNumber: CInt? = nil) -> Int {
    var channel: Descriptor? = Descriptor(owning: number)
    var next: Descriptor? = nextNumber.map { Descriptor(owning: $0) }
    let dropped = flush(to: channel, orTo: next) { _ in Issue.record("shown instead of sent") }
    if let channel = channel.take() { _ = channel.release() }
    if let next = next.take() { _ = next.release() }
    return dropped
  }
}

/// A channel as begatd makes it: two sockets that keep messages apart.
struct Channel: ~Copyable {
  let listener: Descriptor
  let supervisor: Descriptor

  init() throws {
    let pair = try SocketPair(kind: .sequencedPacket)
    listener = pair.first
    supervisor = pair.second
  }

  /// The next message as it came; empty when the other end is closed.
  func receive(atSupervisor: Bool = true) throws -> [UInt8] {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * ListenerChannel.largestMessage, alignment: 8)
    defer { room.deallocate() }
    let count =
      atSupervisor
      ? try supervisor.receive(into: room, waiting: false) : try listener.receive(into: room, waiting: false)
    return Array(room[..<count])
  }
}
