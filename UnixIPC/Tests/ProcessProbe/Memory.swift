import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

private let segmentationFault = ExitStatus.killed(by: Signal(rawValue: SIGSEGV), dumpedCore: false)

func keptMemoryIsNotTheChilds(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let file = try MemoryFile.create(name: "test", size: 10_000)
  func expectKept(_ memory: borrowing MemoryMapping) throws {
    let bytes = memory.unsafeBytes
    try expect(bytes.allSatisfy { $0 == 0 }, "not zeroed")
    bytes[9_999] = 1
    try expectEqual(try end { CInt(bytes[9_999]) }, segmentationFault, "reading child")
    try expectEqual(bytes[9_999], 1, "the parent's byte")
  }
  try expectKept(MemoryMapping.shared(size: 10_000, isInherited: false))
  try expectKept(MemoryMapping.private(size: 10_000))
  try expectKept(MemoryMapping.file(file, size: 10_000, writable: true, isInherited: false))
}

func privateMemoryIsOneMapping(_ words: [String]) throws {
  // No gap between other mappings has room for one of these.
  let size = 64 << 20
  let first = try MemoryMapping.private(size: size)
  let second: MemoryMapping? = try MemoryMapping.private(size: size)
  let third = try MemoryMapping.private(size: size)
  let places = [first.unsafeBytes, third.unsafeBytes].map { UInt(bitPattern: $0.baseAddress) }
  let around = try mappings(of: places[0])
  try expect(around.count == 1, "\(around)")
  try expectEqual(try mappings(of: places[1]), around, "the mapping of the last")
  let middle: UInt
  switch consume second {
  case .some(let second): middle = UInt(bitPattern: second.unsafeBytes.baseAddress)
  case nil: middle = 0
  }
  try expectEqual(try mappings(of: middle), [], "mappings of the one that was discarded")
  for memory in [first.unsafeBytes, third.unsafeBytes] {
    memory[0] = 1
    memory[size - 1] = 2
  }
}

func rangeIsOneThing(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let file = try MemoryFile.create(name: "test", size: 5000)
  let other = try MemoryMapping.file(file, size: 5000, writable: true)
  let shared = try MemoryMapping.shared(size: 9000, isInherited: false)
  shared.unsafeBytes[8999] = 1
  let old = UInt(bitPattern: shared.unsafeBytes.baseAddress)
  var range: MemoryRange? = try MemoryRange(sizes: [9000, 5000, 0])
  let first = try range!.take(shared)
  let second = try range!.take(MemoryMapping.file(file, size: 5000, writable: false, isInherited: false))
  try expectEqual(try mappings(of: old), [], "the place before")
  try expectEqual([first.count, second.count], [9000, 5000], "sizes")
  try expectEqual(second.baseAddress! - first.baseAddress!, 12_288, "where the second begins")
  other.unsafeBytes[4999] = 2
  try expectEqual([first[8999], second[4999]], [1, 2], "contents")
  try expectEqual(try end { CInt(first[8999]) }, segmentationFault, "child that reads what is kept from it")
  try expectEqual(try end { CInt(second[4999]) }, segmentationFault, "child that reads a file that is kept from it")
  try range!.setInherited(true)
  try expectEqual(
    try end {
      first[0] = 4
      return CInt(first[8999] + second[4999])
    }, .exited(code: 3), "child that has the memory")
  try expectEqual(first[0], 4, "the byte that it wrote")
  for part in [first, second] {
    let child = try end {
      guard (try? range!.unmapInCopy()) != nil else { return 1 }
      return CInt(part[0])
    }
    try expectEqual(child, segmentationFault, "child that has given it up")
  }
  try range!.setInherited(false)
  try expectEqual(try end { CInt(second[4999]) }, segmentationFault, "child of later")
  range = nil
  for part in [first, second] {
    try expectEqual(try mappings(of: UInt(bitPattern: part.baseAddress)), [], "what was discarded")
  }
}

func privateMemoryIsNotMovedToAFile(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let memory = try MemoryMapping.private(size: 10_000)
  let bytes = memory.unsafeBytes
  bytes[9_999] = 1
  let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
  moved.initialize(to: 3)
  let file = try FileBackedMemory(pages: nil)
  func isOfFile(_ place: UnsafeRawPointer?) throws -> [Bool] {
    try mappings(of: UInt(bitPattern: place)).map { $0.contains("begat-memory") }
  }
  try expectEqual(try isOfFile(moved), [true], "the heap")
  try expectEqual(try isOfFile(bytes.baseAddress), [false], "private memory")
  try expectEqual(try end { CInt(moved.pointee) }, .exited(code: 3), "child that reads the heap")
  try expectEqual(try end { CInt(bytes[9_999]) }, segmentationFault, "child that reads private memory")
  try expectEqual(bytes[9_999], 1, "the parent's byte")
  _ = consume file
}

func sharedMemoryIsTheChildsToo(_ words: [String]) throws {
  let memory = try MemoryMapping.shared(size: 10_000)
  memory.unsafeBytes[0] = 5
  let status = try end {
    memory.unsafeBytes[9_999] = 6
    return CInt(memory.unsafeBytes[0])
  }
  try expectEqual(status, .exited(code: 5), "what the child read")
  try expectEqual(memory.unsafeBytes[9_999], 6, "what the child wrote")
}

func readOnlyMemoryCannotBeWritten(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  var memory = try MemoryMapping.shared(size: 100)
  memory.unsafeBytes[0] = 7
  try memory.makeReadOnly()
  let status = try end {
    memory.unsafeBytes[0] = 8
    return 0
  }
  try expectEqual(status, segmentationFault, "writing child")
  try expectEqual(memory.unsafeBytes[0], 7, "the byte")
}

/// What a process that was taken over could do: make its memory writable again.
func constantMemoryCannotBeChangedForOthers(_ words: [String]) throws {
  let file = try MemoryFile.create(name: "test", size: 5000)
  let writer = try MemoryMapping.file(file, size: 5000, writable: true)
  writer.unsafeBytes.copyBytes(from: [1, 2, 3])
  let reader = try MemoryMapping.file(file, size: 5000, writable: false)
  let constant = try MemoryMapping.constant(UnsafeRawBufferPointer(writer.unsafeBytes), name: "test")
  let status = try end {
    for mapping in [reader.unsafeBytes, constant.unsafeBytes] {
      guard mprotect(mapping.baseAddress, mapping.count, PROT_READ | PROT_WRITE) == 0 else { continue }
      mapping[1] = 66
    }
    return 0
  }
  try expectEqual(status, .exited(code: 0), "the child")
  writer.unsafeBytes[2] = 4
  try expectEqual(Array(reader.unsafeBytes.prefix(3)), [1, 2, 4], "what is only read")
  try expectEqual(Array(constant.unsafeBytes.prefix(3)), [1, 2, 3], "what is constant")
  try expectEqual(Array(writer.unsafeBytes.prefix(3)), [1, 2, 4], "what is written")
}
