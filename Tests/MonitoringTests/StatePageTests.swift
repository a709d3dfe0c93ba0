import CSharedLayouts
import Glibc
import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import Monitoring

/// The page of memory on which begatd shows its state.
@Suite struct StatePageTests {
  @Test func showsWhatWasWrittenLast() throws {
    let page = try StatePage(capacity: 1 << 16)
    let reader = try StatePageReader(page.file.descriptor)
    #expect(throws: StatePageReader.Problem.unreadable) { try reader.read() }
    #expect(page.write(DaemonState().encoded))
    #expect(try reader.read() == DaemonState())
    #expect(page.write(DaemonStateTests.full.encoded))
    #expect(try reader.read() == DaemonStateTests.full)
  }

  @Test func aStateThatIsTooLargeChangesNothing() throws {
    let page = try StatePage(capacity: 200)
    let reader = try StatePageReader(page.file.descriptor)
    #expect(page.write(DaemonState().encoded) && !page.write(DaemonStateTests.full.encoded))
    #expect(try reader.read() == DaemonState())
  }

  @Test func halfOfAStateIsNeverRead() throws {
    let page = try StatePage(capacity: 1 << 16)
    let states = [DaemonState(), DaemonStateTests.full]
    #expect(page.write(states[0].encoded))
    let reader = try StatePageReader(page.file.descriptor)
    nonisolated(unsafe) let shared = page
    let isOver = Flag()
    let writer = Background {
      var count = 0
      while !isOver.isSet {
        _ = shared.write(states[count % 2].encoded)
        count += 1
      }
    }
    for _ in 0..<500 {
      // A writer that never pauses may be met in the middle each time.
      guard let state = try? reader.read() else { continue }
      #expect(states.contains(state))
    }
    isOver.set()
    writer.join()
  }

  /// Set by one thread and read by another.
  private final class Flag: @unchecked Sendable {
    private var value: UInt32 = 0
    var isSet: Bool { begat_load(&value) != 0 }
    func set() { begat_store(&value, 1) }
  }

  @Test func noOtherProcessCanWriteToIt() throws {
    let page = try StatePage(capacity: 4096)
    let number = page.file.descriptor.number
    #expect(write(number, "x", 1) == -1 && errno == EPERM)
    #expect(ftruncate(number, 0) == -1 && errno == EPERM)
    #expect(throws: SystemCallError.self) {
      _ = try MemoryMapping.file(page.file.descriptor, size: 4096, writable: true)
    }
    // Not by another way to the same memory either.
    let again = open("/proc/self/fd/\(number)", O_RDWR | O_CLOEXEC)
    #expect(again >= 0 && write(again, "x", 1) == -1)
    close(again)
    #expect(page.write(DaemonState().encoded))
  }

  @Test func aWriterThatStopsInTheMiddleIsNotWaitedForLong() throws {
    let bytes = DaemonState().encoded
    let object = try MemoryFile.create(name: "page", size: 4096)
    let memory = try MemoryMapping.file(object, size: 4096, writable: true)
    let header = memory.unsafeBytes.baseAddress!.assumingMemoryBound(to: begat_state.self)
    header.pointee.magic = UInt32(BEGAT_STATE_MAGIC)
    header.pointee.version = UInt32(BEGAT_STATE_VERSION)
    header.pointee.length = UInt32(bytes.count)
    UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[StatePage.headerSize...]).copyBytes(from: bytes)
    let reader = try StatePageReader(object)
    #expect(try reader.read() == DaemonState())
    header.pointee.sequence = 1
    #expect(throws: StatePageReader.Problem.busy) { try reader.read() }
    header.pointee.sequence = 2
    // If the length is impossible, everything that the page holds is read.
    header.pointee.length = .max
    #expect(try reader.read() == DaemonState())
    header.pointee.version += 1
    #expect(throws: StatePageReader.Problem.unreadable) { try reader.read() }
  }

  @Test func anObjectThatIsTooSmallIsNotMapped() throws {
    let object = try MemoryFile.create(name: "small", size: 64)
    #expect(throws: SystemCallError.self) { try StatePageReader(object) }
  }
}
