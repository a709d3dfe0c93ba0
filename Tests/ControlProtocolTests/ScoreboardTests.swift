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
    #expect(try MemoryFile.size(of: object) == 256 + 10 * 64)
    let board = try Scoreboard(object, service: "hello", slotCount: 10)
    #expect(board.slotCount == 10)
    for index in 0..<10 { board.slot(index).pointee.pid = CInt(100 + index) }
    let reader = try MemoryMapping.file(object, size: Scoreboard.size(slotCount: 10), writable: false)
    let header = reader.unsafeBytes.load(as: begat_scoreboard.self)
    #expect(header.magic == 0x6267_6274 && header.version == 3 && header.slot_size == 64 && header.slot_count == 10)
    #expect(header.listener_pid == getpid())
    #expect(withUnsafeBytes(of: header.service) { Array($0.prefix(6)) } == Array("hello\0".utf8))
    for index in 0..<10 {
      #expect(reader.unsafeBytes.load(fromByteOffset: 256 + 64 * index, as: begat_slot.self).pid == CInt(100 + index))
    }
  }

  @Test("has a header that fits before its slots, with a counter for each refusal")
  func hasAHeader() throws {
    #expect(MemoryLayout<begat_scoreboard>.size == 224 && BEGAT_SCOREBOARD_HEADER_SIZE == 256)
    #expect(MemoryLayout<begat_slot>.size == 64 && MemoryLayout<begat_slot>.stride == 64)
    #expect(Int(BEGAT_REFUSAL_KINDS) == Refusal.allCases.count)
    let board = try Scoreboard(service: "hello", slotCount: 1)
    for (index, refusal) in Refusal.allCases.enumerated() {
      begat_refused(board.header, UInt32(refusal.rawValue)).pointee += UInt64(10 + index)
      begat_datagrams_refused(board.header, UInt32(refusal.rawValue)).pointee += UInt64(20 + index)
    }
    let header = board.header.pointee
    #expect(header.refused == (10, 11, 12, 13, 14, 15) && header.datagrams_refused == (20, 21, 22, 23, 24, 25))
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
}
