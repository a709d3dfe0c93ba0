// Four processes count in shared memory, one at a time.  Whatever kills them, nothing stays behind.
import UnixIPC

CommandLineProgram.run {
  var counter = try SharedMemorySegment.createAttached(size: 8, removal: .atLastDetach)
  let lock = try SemaphoreSet.create(values: [0])
  defer { try? lock.remove() }

  var children = ChildProcesses()
  for _ in 0..<4 {
    let child = try ForkedProcess.run {
      for _ in 0..<1000 {
        try lock.withTaken(until: Deadline(after: .seconds(10))) {
          counter.withMutableBytes { $0.storeBytes(of: $0.unsafeLoad(as: Int.self) + 1, as: Int.self) }
        }
      }
      return 0
    }
    children.add(child)
  }
  for child in try children.waitForAll() { try child.status.checkSuccess(of: "process \(child.process)") }
  print("counted to", counter.withBytes { $0.unsafeLoad(as: Int.self) })
}
