import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(1))) struct SharedLockTests {
  @Test("is the next one's when its holder dies, and the next one only is told")
  func isTakenOver() throws { try ProbeProgram.check("lock-abandoned") }

  @Test("wakes somebody who waits when its holder dies")
  func wakesAWaiter() throws { try ProbeProgram.check("lock-abandoned-waiter") }

  @Test("is given on by the kernel as often as holders die")
  func isGivenOn() throws { try ProbeProgram.check("lock-repairer") }

  @Test("loses no count of four processes")
  func losesNoCount() throws { try ProbeProgram.check("lock-count") }

  @Test("ends a process that takes a second one, and does not hang it")
  func isNotNested() throws { try ProbeProgram.check("lock-nested") }

  @Test("does not mind that somebody dies waiting")
  func survivesAWaiter() throws { try ProbeProgram.check("lock-killed-waiter") }

  @Test("is got by a sleeper whose wakeup was lost")
  func makesUpForLostWakeups() throws { try ProbeProgram.check("lock-lost-wakeup") }

  @Test("is right and free after 200 kills in a row")
  func survivesKills() throws { try ProbeProgram.check("lock-kills") }

  @Test(
    "is watched for a process that has the number of its dead ancestor",
    .enabled(if: access("/proc/sys/kernel/ns_last_pid", W_OK) == 0, "needs a writable ns_last_pid"))
  func knowsRecycledNumbers() throws { try ProbeProgram.check("lock-recycled-number") }

  @Test("is one thread's at a time, and told by a thread that dies with it too")
  func isForThreadsToo() throws {
    let memory = try MemoryMapping.shared(size: 4096)
    let start = Place(memory.unsafeBytes.baseAddress!)
    let threads = (0..<4).map { _ in
      Background {
        let lock = SharedLock(at: start.address)
        let number = (start.address + 128).assumingMemoryBound(to: Int.self)
        for _ in 0..<5000 {
          lock.withLock { _ in
            let before = number.pointee
            if before % 64 == 0 { sched_yield() }
            number.pointee = before + 1
          }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect((start.address + 128).load(as: Int.self) == 20_000)
    let lock = SharedLock(at: start.address)
    Background { SharedLock(at: start.address).withLock { _ -> Void in pthread_exit(nil) } }.join()
    #expect(lock.withLock { $0 } == true)
    #expect(lock.withLock { $0 } == false)
  }
}

private struct Place: @unchecked Sendable {
  let address: UnsafeMutableRawPointer
  init(_ address: UnsafeMutableRawPointer) { self.address = address }
}
