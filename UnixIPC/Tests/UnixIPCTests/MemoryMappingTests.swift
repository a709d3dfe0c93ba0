import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct MemoryMappingTests {
  @Test("kept from children is a crash of the child that touches it")
  func isKeptFromChildren() throws { try ProbeProgram.check("memory-kept") }

  @Test("private is one mapping with its neighbours, and is still there when they are not")
  func joinsItsNeighbours() throws { try ProbeProgram.check("memory-private") }

  @Test("private stays where it is, and from children, when all other memory is moved to a file")
  func isNotMoved() throws { try ProbeProgram.check("memory-not-moved") }

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
    #expect(reader.unsafeBytes.count == 5000 && reader.unsafeBytes.allSatisfy { $0 == 0 })
    writer.unsafeBytes[4999] = 9
    #expect(reader.unsafeBytes[4999] == 9)
  }

  @Test("of a memory file that was made read-only is written through older mappings alone")
  func isSealed() throws {
    let file = try MemoryFile.createSealable(name: "test", size: 5000)
    let writer = try MemoryMapping.file(file, size: 5000, writable: true)
    try MemoryFile.makeReadOnly(file)
    let reader = try MemoryMapping.file(file, size: 5000, writable: false)
    writer.unsafeBytes[7] = 9
    #expect(reader.unsafeBytes[7] == 9)
    #expect(
      failure { () throws(SystemCallError) in _ = try MemoryMapping.file(file, size: 5000, writable: true) }?.code
        == .notPermitted)
    #expect(failure { () throws(SystemCallError) in try file.writeAll("x") }?.code == .notPermitted)
    #expect(failure { () throws(SystemCallError) in try MemoryFile.grow(file, to: 9000) }?.code == .notPermitted)
    #expect(ftruncate(file.number, 0) == -1 && errno == EPERM)
  }

  @Test(
    "of a sealable memory file loses no bytes, and can be mapped for writing again and again if only its size is kept")
  func keepsItsSize() throws {
    let file = try MemoryFile.createSealable(name: "test", size: 5000)
    #expect(ftruncate(file.number, 0) == -1 && errno == EPERM)
    try MemoryFile.grow(file, to: 6000)
    try MemoryFile.keepSize(of: file)
    #expect(failure { () throws(SystemCallError) in try MemoryFile.grow(file, to: 9000) }?.code == .notPermitted)
    #expect(failure { () throws(SystemCallError) in try MemoryFile.makeReadOnly(file) }?.code == .notPermitted)
    let first = try MemoryMapping.file(file, size: 6000, writable: true)
    let second = try MemoryMapping.file(file, size: 6000, writable: true)
    first.unsafeBytes[0] = 7
    #expect(second.unsafeBytes[0] == 7)
  }

  @Test("of a memory file that was opened again for reading cannot be made writable")
  func isOpenedForReading() throws {
    let file = try MemoryFile.create(name: "test", size: 5000)
    let reading = try MemoryFile.reopenForReading(file)
    #expect(failure { () throws(SystemCallError) in try reading.writeAll("x") }?.code == .badFileDescriptor)
    #expect(
      failure { () throws(SystemCallError) in _ = try MemoryMapping.file(reading, size: 5000, writable: true) }?.code
        == .permissionDenied)
    let writer = try MemoryMapping.file(file, size: 5000, writable: true)
    let reader = try MemoryMapping.file(reading, size: 5000, writable: false)
    writer.unsafeBytes[0] = 7
    #expect(reader.unsafeBytes[0] == 7)
  }

  @Test("of a memory file that cannot be sealed is not made read-only")
  func isNotSealed() throws {
    let file = try MemoryFile.create(name: "test", size: 5000)
    #expect(failure { () throws(SystemCallError) in try MemoryFile.makeReadOnly(file) }?.code == .notPermitted)
  }

  @Test("is lent to a closure, for reading and for writing")
  func isLent() throws {
    var mapping = try MemoryMapping.shared(size: 100)
    mapping.withMutableBytes { $0.storeBytes(of: 7, toByteOffset: 8, as: Int.self) }
    #expect(mapping.count == 100 && mapping.withBytes { $0.unsafeLoad(fromByteOffset: 8, as: Int.self) } == 7)
    let failed = failure { () throws(SystemCallError) -> Void in
      try mapping.withBytes { (_) throws(SystemCallError) in throw SystemCallError("read", code: .brokenPipe) }
    }
    #expect(failed?.code == .brokenPipe)
  }

  @Test("cannot leave the closure that it is lent to", .enabled(if: TypeCheck.compiler != nil, "needs swiftc"))
  func doesNotEscape() throws {
    let ways = [
      "let memory = try MemoryMapping.shared(size: 9); let kept: RawSpan = memory.withBytes { $0 }; _ = kept.byteCount",
      "let memory = try MemoryMapping.shared(size: 9); var kept: RawSpan?; memory.withBytes { kept = $0 }; _ = kept",
      "var memory = try MemoryMapping.shared(size: 9); let kept: MutableRawSpan = memory.withMutableBytes { $0 }",
      "let memory = try MemoryMapping.shared(size: 9); _ = memory.unsafeBytes",
      "let memory = try SharedMemorySegment.createAttached(size: 9); let kept: RawSpan = memory.withBytes { $0 }",
      "let memory = try SharedMemorySegment.createAttached(size: 9); _ = memory.unsafeBytes",
    ]
    for way in ways {
      let errors = try TypeCheck("import UnixIPC\nfunc escape() throws { \(way) }\n").errors
      #expect(errors.map(\.line) == [2], "\(way): \(errors.map(\.text))")
    }
    let right = "let memory = try MemoryMapping.shared(size: 9); _ = memory.withBytes { $0.byteCount }"
    #expect(try TypeCheck("import UnixIPC\nfunc lend() throws { \(right) }\n").errors.isEmpty)
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
