import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct SemaphoreOperationsTests {
  private typealias Operation = SemaphoreSet.Operation
  private func why<Value>(_ body: () throws(SystemCallError) -> Value) -> ErrorCode? { failure(of: body)?.code }
  private var soon: Deadline { Deadline(after: .milliseconds(20)) }

  @Test("take and give are one at a time, and giving what is not taken is an error immediately")
  func takeAndGive() throws {
    let set = try SemaphoreSet.create(values: [0])
    defer { try? set.remove() }
    try set.take()
    #expect(try set.value() == 1)
    #expect(try !set.tryTake())
    #expect(why { () throws(SystemCallError) in try set.take(until: soon) } == .timedOut)
    try set.give()
    #expect(try set.tryTake())
    try set.give()
    let failed = failure { () throws(SystemCallError) in try set.give() }
    #expect(failed?.code == .wouldBlock)
    #expect(failed?.object == "semaphore 0 of set \(set.identifier) (it is not taken)")
  }

  @Test("a list is done whole or not at all")
  func listIsAtomic() throws {
    let set = try SemaphoreSet.create(values: [1, 0])
    defer { try? set.remove() }
    let both = [Operation(0, add: -1), Operation(1, add: -1)]
    #expect(why { () throws(SystemCallError) in try set.perform(both, until: soon) } == .timedOut)
    #expect(try set.values() == [1, 0])
    try set.post(1)
    try set.perform(both)
    #expect(try set.values() == [0, 0])
  }

  @Test("no time is told from no waiting")
  func timeIsNotRefusal() throws {
    let set = try SemaphoreSet.create(values: [0, 0])
    defer { try? set.remove() }
    let refusing = Operation(0, add: -1, .nonBlocking)
    let waiting = Operation(1, add: -1)
    let past = Deadline.immediate
    #expect(why { () throws(SystemCallError) in try set.perform([refusing]) } == .wouldBlock)
    #expect(why { () throws(SystemCallError) in try set.perform([refusing], until: past) } == .wouldBlock)
    #expect(why { () throws(SystemCallError) in try set.perform([waiting], until: past) } == .timedOut)
    #expect(
      why { () throws(SystemCallError) in try set.perform([refusing, waiting], until: Deadline(after: .seconds(20))) }
        == .wouldBlock)
    try set.post(0)
    #expect(why { () throws(SystemCallError) in try set.perform([refusing, waiting], until: soon) } == .timedOut)
    #expect(try set.values() == [1, 0])
  }

  @Test("what the kernel cannot do is the error of its manual page")
  func refusals() throws {
    let set = try SemaphoreSet.create(values: [32767, 0])
    defer { try? set.remove() }
    #expect(why { () throws(SystemCallError) in try set.post() }?.rawValue == ERANGE)
    #expect(why { () throws(SystemCallError) in try set.post(2) }?.rawValue == EFBIG)
    #expect(why { () throws(SystemCallError) in try set.post(-1) }?.rawValue == EFBIG)
    #expect(why { () throws(SystemCallError) in try set.post(65536) }?.rawValue == EFBIG)
    #expect(why { () throws(SystemCallError) in try set.post(amount: 0) } == .invalidArgument)
    #expect(why { () throws(SystemCallError) in try set.wait(amount: -1) } == .invalidArgument)
    let many = Array(repeating: Operation(1, add: 1), count: 40_000)
    #expect(why { () throws(SystemCallError) in try set.perform(many) }?.rawValue == E2BIG)
    #expect(try set.values() == [32767, 0])
  }

  @Test("removal is told to those who wait, for zero and for more")
  func removalIsTold() throws {
    let set = try SemaphoreSet.create(values: [1])
    defer { try? set.remove() }
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd.release()
    func waiter(_ body: @escaping @Sendable () throws(SystemCallError) -> Void) -> Background {
      Background {
        let failed = failure(of: body)
        Descriptor.withBorrowed(writing) { try? $0.writeAll("\(failed.map(\.description) ?? "none")\n") }
      }
    }
    let waiters = [
      waiter { () throws(SystemCallError) in try set.take() },
      waiter { () throws(SystemCallError) in try set.wait(amount: 2, until: Deadline(after: .seconds(20))) },
    ]
    try eventually { try set.waitersForZero() == 1 && set.waitersForIncrease() == 1 }
    try set.remove()
    for waiter in waiters { waiter.join() }
    close(writing)
    let line = "semop semaphore set \(set.identifier): Identifier removed\n"
    #expect(String(decoding: try reading.readToEnd(), as: UTF8.self) == line + line)
  }

  @Test("withTaken gives back on every way out, and tells when there was nothing to give back")
  func withTakenGivesBack() throws {
    struct Stop: Error {}
    let set = try SemaphoreSet.create(values: [0])
    defer { try? set.remove() }
    let result = try set.withTaken { () throws -> Int in
      #expect(try set.value() == 1)
      return 5
    }
    #expect(try result == 5 && set.value() == 0)
    #expect(throws: Stop.self) { try set.withTaken { throw Stop() } }
    #expect(try set.value() == 0)
    try set.take()
    #expect(throws: SystemCallError("semop", on: "semaphore set \(set.identifier)", code: .timedOut)) {
      try set.withTaken(until: soon) { Issue.record("it is taken already") }
    }
    try set.give()
    #expect(throws: SystemCallError.self) { try set.withTaken { try set.remove() } }
  }

  @Test("signals do not lengthen a wait")
  func signalsDoNotLengthen() throws { try ProbeProgram.check("semaphore-interrupted") }

  @Test("eight processes are in one at a time")
  func oneAtATime() throws { try ProbeProgram.check("semaphore-excluded") }

  @Test("1,000 of 1,000 holders that are killed with kill -9 give back")
  func killedHoldersGiveBack() throws { try ProbeProgram.check("semaphore-kills", "1000") }

  @Test("Perl takes what we gave, and we take what Perl gave")
  func perlsToo() throws {
    let set = try SemaphoreSet.create(values: [0])
    defer { try? set.remove() }
    let number = String(set.identifier)
    // perlipc's own two programs, which know no undoing.
    let take = "semop($ARGV[0], pack('s3 s3', 0, 0, 0, 0, 1, 0)) or die $!; $| = 1; print 'taken'"
    let give = "semop($ARGV[0], pack('s3', 0, -1, 0)) or die $!"
    #expect(try Tool.perl(take, number).run() == "taken")
    #expect(why { () throws(SystemCallError) in try set.take(undo: .never, until: soon) } == .timedOut)
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let giver = try Tool.perl(give, number).start(output: writing)
    try set.take(undo: .never, until: Deadline(after: .seconds(20)))
    #expect(giver.status(until: Deadline(after: .seconds(20))) == .exited(code: 0))
    let taker = try Tool.perl(take, number).start(output: writing)
    _ = consume writing
    try eventually { try set.waitersForZero() == 1 }
    let hasTaken = reading.wait(for: .readable, until: Deadline(after: .milliseconds(20)))
    #expect(!hasTaken, "Perl took what is ours")
    try set.give(undo: .never)
    #expect(String(decoding: try reading.readToEnd(), as: UTF8.self) == "taken")
    #expect(taker.status(until: Deadline(after: .seconds(20))) == .exited(code: 0))
    #expect(try set.value() == 1)
  }
}
