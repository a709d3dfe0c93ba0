import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(1))) struct MemoryMappingTests {
  @Test("kept from children is a crash of the child that touches it")
  func isKeptFromChildren() throws { try ProbeProgram.check("memory-kept") }

  @Test("shared is written by children for their parent")
  func isShared() throws { try ProbeProgram.check("memory-shared") }

  @Test("made read-only is a crash of whoever writes")
  func isReadOnly() throws { try ProbeProgram.check("memory-read-only") }

  @Test("of a memory file is the same for all who map it")
  func isTheSameForAll() throws {
    let file = try MemoryFile.create(name: "test", size: 5000)
    #expect(try MemoryFile.size(of: file) == 5000)
    let writer = try MemoryMapping.file(file, size: 5000, writable: true)
    let reader = try MemoryMapping.file(file, size: 5000, writable: false)
    #expect(reader.bytes.count == 5000 && reader.bytes.allSatisfy { $0 == 0 })
    writer.bytes[4999] = 9
    #expect(reader.bytes[4999] == 9)
  }

  @Test("that is only read cannot be made one that changes others")
  func changesNobodyElses() throws { try ProbeProgram.check("memory-constant") }

  @Test("of no bytes is an error")
  func isNotEmpty() {
    let found = failure { () throws(SystemCallError) in try MemoryMapping.shared(size: 0) }
    #expect(found == SystemCallError("mmap", on: "0 bytes", code: .invalidArgument))
    let negative = failure { () throws(SystemCallError) in try MemoryMapping.shared(size: -1) }
    #expect(negative?.code == .invalidArgument)
  }

  @Test("of more than there is is an error")
  func isNotTooLarge() {
    #expect(failure { () throws(SystemCallError) in try MemoryMapping.shared(size: .max - 4095) }?.code == .noMemory)
  }
}
