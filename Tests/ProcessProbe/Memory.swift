import Glibc
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
