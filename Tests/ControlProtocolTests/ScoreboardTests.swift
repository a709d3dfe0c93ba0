import CSharedLayouts
import Glibc
import Testing
import UnixIPC

@testable import ControlProtocol

@Suite struct ScoreboardTests {
  @Test("is seen by whoever maps the object")
  func isSeen() throws {
    let object = try Scoreboard.create(slotCount: 10)
    #expect(try MemoryFile.size(of: object) == 128 + 10 * 64)
    let board = try Scoreboard(object, service: "hello", slotCount: 10)
    #expect(board.slotCount == 10)
    for index in 0..<10 { board.slot(index).pointee.pid = CInt(100 + index) }
    let reader = try MemoryMapping.file(object, size: Scoreboard.size(slotCount: 10), writable: false)
    let header = reader.bytes.load(as: begat_scoreboard.self)
    #expect(header.magic == 0x6267_6274 && header.version == 1 && header.slot_size == 64 && header.slot_count == 10)
    #expect(header.listener_pid == getpid())
    #expect(withUnsafeBytes(of: header.service) { Array($0.prefix(6)) } == Array("hello\0".utf8))
    for index in 0..<10 {
      #expect(reader.bytes.load(fromByteOffset: 128 + 64 * index, as: begat_slot.self).pid == CInt(100 + index))
    }
  }

  @Test("is refused in an object that is too small for its slots")
  func isRefused() throws {
    let object = try Scoreboard.create(slotCount: 10)
    do throws(CallFailure) {
      _ = try Scoreboard(object, service: "hello", slotCount: 11)
      Issue.record("was mapped")
    } catch { #expect(error == CallFailure("mmap", on: "scoreboard", errno: .invalidArgument)) }
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
