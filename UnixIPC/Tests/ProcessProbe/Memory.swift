import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

private let segmentationFault = ExitStatus.killed(by: Signal(rawValue: SIGSEGV), dumpedCore: false)

func keptMemoryIsNotTheChilds(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let memory = try MemoryMapping.keptFromChildren(size: 10_000)
  try expect(memory.bytes.allSatisfy { $0 == 0 }, "not zeroed")
  memory.bytes[9_999] = 1
  try expectEqual(try end { CInt(memory.bytes[9_999]) }, segmentationFault, "reading child")
  try expectEqual(memory.bytes[9_999], 1, "the parent's byte")
}

func sharedMemoryIsTheChildsToo(_ words: [String]) throws {
  let memory = try MemoryMapping.shared(size: 10_000)
  memory.bytes[0] = 5
  let status = try end {
    memory.bytes[9_999] = 6
    return CInt(memory.bytes[0])
  }
  try expectEqual(status, .exited(code: 5), "what the child read")
  try expectEqual(memory.bytes[9_999], 6, "what the child wrote")
}

func readOnlyMemoryCannotBeWritten(_ words: [String]) throws {
  try ResourceLimit.coreSize.set(soft: 0, hard: 0)
  let memory = try MemoryMapping.shared(size: 100)
  memory.bytes[0] = 7
  try memory.makeReadOnly()
  let status = try end {
    memory.bytes[0] = 8
    return 0
  }
  try expectEqual(status, segmentationFault, "writing child")
  try expectEqual(memory.bytes[0], 7, "the byte")
}

/// What a process that was taken over could do: make its memory writable again.
func constantMemoryCannotBeChangedForOthers(_ words: [String]) throws {
  let file = try MemoryFile.create(name: "test", size: 5000)
  let writer = try MemoryMapping.file(file, size: 5000, writable: true)
  writer.bytes.copyBytes(from: [1, 2, 3])
  let reader = try MemoryMapping.file(file, size: 5000, writable: false)
  let constant = try MemoryMapping.constant(UnsafeRawBufferPointer(writer.bytes), name: "test")
  let status = try end {
    for mapping in [reader.bytes, constant.bytes] {
      guard mprotect(mapping.baseAddress, mapping.count, PROT_READ | PROT_WRITE) == 0 else { continue }
      mapping[1] = 66
    }
    return 0
  }
  try expectEqual(status, .exited(code: 0), "the child")
  writer.bytes[2] = 4
  try expectEqual(Array(reader.bytes.prefix(3)), [1, 2, 4], "what is only read")
  try expectEqual(Array(constant.bytes.prefix(3)), [1, 2, 3], "what is constant")
  try expectEqual(Array(writer.bytes.prefix(3)), [1, 2, 4], "what is written")
}
