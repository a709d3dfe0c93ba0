import Admission
import CSharedLayouts
import Glibc
import Testing
@_spi(Begat) import UnixCore

@testable import ControlProtocol

@Suite struct ScoreboardTests {
  @Test("is seen by whoever maps the object")
  func isSeen() throws {
    let object = try Scoreboard.create(slotCount: 10)
    #expect(try MemoryFile.size(of: object) == 4096 + 10 * 128)
    let board = try Scoreboard(object, service: "hello", slotCount: 10)
    #expect(board.slotCount == 10)
    for index in 0..<10 { board.slot(index).pointee.pid = CInt(100 + index) }
    let reader = try MemoryMapping.file(object, size: Scoreboard.size(slotCount: 10), writable: false)
    let header = reader.unsafeBytes.load(as: begat_scoreboard.self)
    #expect(header.magic == 0x6267_6274 && header.version == 6 && header.slot_size == 128 && header.slot_count == 10)
    #expect(header.listener_pid == getpid())
    #expect(withUnsafeBytes(of: header.service) { Array($0.prefix(6)) } == Array("hello\0".utf8))
    for index in 0..<10 {
      #expect(reader.unsafeBytes.load(fromByteOffset: 4096 + 128 * index, as: begat_slot.self).pid == CInt(100 + index))
    }
  }

  @Test("has a header that fits before its slots, with a counter for each refusal")
  func hasAHeader() throws {
    #expect(MemoryLayout<begat_scoreboard>.size == 2264 && BEGAT_SCOREBOARD_HEADER_SIZE == 4096)
    #expect(MemoryLayout<begat_slot>.size == 128 && MemoryLayout<begat_slot>.stride == 128)
    #expect(Int(BEGAT_REFUSAL_KINDS) == Refusal.allCases.count)
    let board = try Scoreboard(service: "hello", slotCount: 1)
    for (index, refusal) in Refusal.allCases.enumerated() {
      begat_refused(board.header, UInt32(refusal.rawValue)).pointee += UInt64(10 + index)
      begat_datagrams_refused(board.header, UInt32(refusal.rawValue)).pointee += UInt64(20 + index)
    }
    let header = board.header.pointee
    let numbers = Refusal.allCases.map { UInt32($0.rawValue) }
    #expect(numbers.map { begat_refused(board.header, $0).pointee } == Array(10..<20))
    #expect(numbers.map { begat_datagrams_refused(board.header, $0).pointee } == Array(20..<30))
    #expect(header.datagrams_answered == 0 && header.datagrams_ignored == 0 && header.records_dropped == 0)
    #expect(board.slot(0).pointee.pid == 0)
  }

  @Test("is refused in an object that is too small for its slots")
  func isRefused() throws {
    let object = try Scoreboard.create(slotCount: 10)
    do throws(SystemCallError) {
      _ = try Scoreboard(object, service: "hello", slotCount: 11)
      Issue.record("was mapped")
    } catch { #expect(error == SystemCallError("mmap", on: "scoreboard", code: .invalidArgument)) }
    // A larger object of an earlier listener will do.
    _ = try Scoreboard(object, service: "hello", slotCount: 9)
  }

  @Test("cuts a name that is too long")
  func cutsNames() throws {
    let board = try Scoreboard(service: String(repeating: "n", count: 100), slotCount: 1)
    #expect(withUnsafeBytes(of: board.header.pointee.service) { $0.allSatisfy { $0 == UInt8(ascii: "n") } })
    #expect(board.slot(0).pointee.pid == 0)
  }

  private static let second: Int64 = 1_000_000_000

  /// A scoreboard and what begatd reads in it.
  private struct Pair: ~Copyable {
    let board: Scoreboard
    let reader: ScoreboardReader

    init() throws {
      let object = try Scoreboard.create(slotCount: 4)
      let reader = try ScoreboardReader(object, slotCount: 4)
      #expect(!reader.isReadable)
      let board = try Scoreboard(object, service: "hello", slotCount: 4)
      self.board = board
      self.reader = reader
    }

    var counters: ServiceCounters { reader.counters }
  }

  @Test("counts each connection that has ended once among outcomes and once among durations")
  func countsEnds() throws {
    let pair = try Pair()
    #expect(
      pair.reader.isReadable && pair.reader.listener == getpid()
        && pair.reader.service == UntrustedBytes(Array("hello".utf8)))
    let durations: [Int64] = [0, 1_000_000, 1_000_001, 3_600 * Self.second, 3_600 * Self.second + 1]
    let outcomes: [Outcome] = [
      .complete, .clientClosed, .exited(status: 3), .crashed(by: .kill), .stopped(by: .terminate),
    ]
    for (duration, outcome) in zip(durations, outcomes) {
      pair.board.countEnded(outcome, duration: duration, received: 10, sent: 20)
    }
    let counters = pair.counters
    #expect(counters.ended == 5)
    #expect(counters.outcomes == [1, 1, 0, 0, 0, 0, 1, 0, 1, 1])
    #expect(counters.durations == [2, 1, 0, 0, 0, 0, 0, 1, 1])
    #expect(counters.durationSum == UInt64(durations.reduce(0, +)))
    #expect(counters.bytesReceived == 50 && counters.bytesSent == 100)
  }

  /// Its listener lives on over an upgrade, and is told to end over its channel.
  @Test("takes a scoreboard of a version with smaller slots, and shows nothing of it")
  func showsNothingOfSmallerSlots() throws {
    let size = Scoreboard.size(slotCount: 0) + 10 * 64
    let object = try MemoryFile.create(name: "board", size: size)
    var header = begat_scoreboard()
    header.magic = UInt32(BEGAT_SCOREBOARD_MAGIC)
    header.version = 5
    header.slot_size = 64
    header.active = 3
    try withUnsafeBytes(of: header) { try object.writeAll($0) }
    let reader = try ScoreboardReader(object, slotCount: 10)
    #expect(!reader.isReadable && reader.active == 0 && !reader.isRetired)
    #expect((0..<reader.slotCount).allSatisfy { reader.slot($0).pid == 0 })
  }

  @Test(
    "shows nothing of a scoreboard of another version",
    arguments: [
      0, UInt16(BEGAT_SCOREBOARD_VERSION) - 1, UInt16(BEGAT_SCOREBOARD_VERSION) + 1, 65_535,
    ])
  func showsNothingOfOtherVersions(version: UInt16) throws {
    let pair = try Pair()
    pair.board.countAccepted(now: Self.second)
    pair.board.header.pointee.active = 3
    pair.board.slot(1).pointee.pid = 4711
    #expect(pair.reader.active == 3 && pair.counters.accepted == 1 && pair.reader.slot(1).pid == 4711)
    #expect(pair.reader.openDurations(now: Self.second).count == 1)
    pair.board.header.pointee.version = version
    #expect(!pair.reader.isReadable)
    #expect(pair.reader.active == 0 && pair.counters == ServiceCounters() && pair.reader.slot(1).pid == 0)
    #expect(pair.reader.openDurations(now: Self.second).isEmpty)
    #expect(pair.reader.addressForm == .none)
  }

  @Test("adds no bytes that are not known or not possible")
  func refusesBytes() throws {
    let pair = try Pair()
    pair.board.countEnded(.complete, duration: 0, received: ConnectionRecord.unknownCount, sent: 1 << 20)
    pair.board.countEnded(.complete, duration: 0, received: 1 << 63, sent: (1 << 20) + 1)
    pair.board.countEnded(.complete, duration: Self.second, received: 5 << 30, sent: .max - 1)
    #expect(pair.counters.bytesReceived == 5 << 30 && pair.counters.bytesSent == 1 << 20)
    #expect(pair.counters.ended == 3)
  }

  @Test("counts clients by the time at which they came")
  func hasAHistory() throws {
    let pair = try Pair()
    let start = 1_000_000 * Self.second
    for offset in [0, 9, 10, 10, 899, 905] { pair.board.countAccepted(now: start + Int64(offset) * Self.second) }
    pair.board.countRefused(1, now: start + 899 * Self.second)
    let counters = pair.counters
    let newest = (start + 905 * Self.second) / EventHistory.placeTime
    #expect(counters.accepted == 6 && counters.refused[1] == 1)
    // The first place has been left behind.
    #expect(counters.acceptedHistory.counts(upTo: newest) == [2] + Array(repeating: 0, count: 87) + [1, 1])
    #expect(counters.refusedHistory.counts(upTo: newest) == Array(repeating: 0, count: 88) + [1, 0])
    let second = (start + 905 * Self.second) / Self.second
    #expect(counters.acceptedSeconds[second] == 1 && counters.acceptedSeconds[second - 1] == 0)
  }

  @Test("keeps nothing of a time that is long over")
  func forgets() throws {
    let pair = try Pair()
    for _ in 0..<3 { pair.board.countAccepted(now: 50 * Self.second) }
    pair.board.countAccepted(now: 5_000 * Self.second)
    let history = pair.counters.acceptedHistory
    #expect(history.counts(upTo: 500) == Array(repeating: 0, count: 89) + [1])
    #expect(history.counts(upTo: 590) == Array(repeating: 0, count: 90))
    #expect(history[5] == 0 && history[501] == 0)
  }

  @Test("is read as far as the object goes, and refused without room for a header")
  func readerChecksSize() throws {
    let object = try Scoreboard.create(slotCount: 2)
    #expect(try ScoreboardReader(object, slotCount: 3).slotCount == 2)
    #expect(throws: SystemCallError.self) { _ = try ScoreboardReader(object, slotCount: -1) }
    #expect(try ScoreboardReader(object).slotCount == 2)
    let tiny = try MemoryFile.create(name: "tiny", size: 100)
    #expect(throws: SystemCallError.self) { _ = try ScoreboardReader(tiny) }
  }
}
