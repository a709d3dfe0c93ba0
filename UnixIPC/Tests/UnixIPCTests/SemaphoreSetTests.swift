import Glibc
import Testing
import UnixIPCTestSupport

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct SemaphoreSetTests {
  private func why<Value>(_ body: () throws(SystemCallError) -> Value) -> ErrorCode? { failure(of: body)?.code }

  @Test("is listed by ipcs with its key, mode and number, until it is removed")
  func isListed() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 3)
    let set = try SemaphoreSet.create(key, values: [1, 0, 5], mode: 0o640)
    defer { try? set.remove() }
    func listed() throws -> [String]? {
      try Tool("/usr/bin/ipcs", "-s").run().split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        .first { $0.count > 4 && $0[1] == String(set.identifier) }
    }
    let line = try #require(try listed())
    #expect(line[0] == "\(key)" && line[3...4] == ["640", "3"], "\(line)")
    let facts = try set.metadata()
    #expect(facts.count == 3 && facts.ownership.mode == 0o640 && facts.ownership.creator == geteuid())
    try set.remove()
    #expect(try listed() == nil)
    #expect(why { () throws(SystemCallError) in try set.metadata() } == .invalidArgument)
    #expect(why { () throws(SystemCallError) in try set.post() } == .invalidArgument)
  }

  @Test(
    "has its values immediately, is its user's alone, and was operated on",
    arguments: [[0], [1], [32767, 0], [0, 3, 32767], Array(repeating: 2, count: 600)] as [[UInt16]])
  func hasItsValues(values: [UInt16]) throws {
    let set = try SemaphoreSet.create(values: values)
    defer { try? set.remove() }
    #expect(try set.values() == values)
    #expect(try set.metadata().ownership.mode == 0o600)
    #expect(try set.metadata().lastOperation != nil)
    #expect(try SemaphoreSet(identifier: set.identifier) == set)
  }

  @Test("cannot be made of nothing, nor of too great values, and is not left behind then")
  func refusesValues() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 4)
    #expect(why { () throws(SystemCallError) in try SemaphoreSet.create(key, values: []) } == .invalidArgument)
    #expect(why { () throws(SystemCallError) in try SemaphoreSet.create(key, values: [1, 32768]) }?.rawValue == ERANGE)
    #expect(why { () throws(SystemCallError) in try SemaphoreSet.open(key) } == .noSuchFileOrDirectory)
  }

  @Test("is made once for a key and opened with its values as they are")
  func isMadeOnce() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 5)
    let made = try SemaphoreSet.create(key, values: [2, 2])
    defer { try? made.remove() }
    try made.wait(1)
    #expect(why { () throws(SystemCallError) in try SemaphoreSet.create(key, values: [9]) } == .fileExists)
    let opened = try SemaphoreSet.createOrOpen(key, values: [9, 9])
    #expect(!opened.isNew && opened.object == made)
    #expect(try opened.object.values() == [2, 1])
    #expect(why { () throws(SystemCallError) in try SemaphoreSet.open(key, minCount: 3) } == .invalidArgument)
    #expect(why { () throws(SystemCallError) in try SemaphoreSet.open(.private) } == .noSuchFileOrDirectory)
  }

  @Test("is seen with its values by each of 20 processes that start together, 20 times")
  func isSeenWithItsValues() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("semaphore-race", directory.path)
  }

  @Test("is waited for until its maker has given it values")
  func isWaitedFor() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 6)
    let set = try SemaphoreSet.createUninitialised(key, count: 1, mode: 0o600)
    defer { try? set.remove() }
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd.release()
    let opener = Background {
      let opened = try? SemaphoreSet.createOrOpen(key, values: [7], until: Deadline(after: .seconds(20)))
      Descriptor.withBorrowed(writing) { try? $0.writeAll((try? opened?.object.value()).map(String.init) ?? "none") }
    }
    try set.setValues([7])
    let isEarly = reading.wait(for: .readable, until: Deadline(after: .milliseconds(30)))
    #expect(!isEarly, "opened before it was operated on")
    try set.perform([Operation(0, add: -1), Operation(0, add: 1)])
    opener.join()
    close(writing)
    #expect(String(decoding: try reading.readToEnd(), as: UTF8.self) == "7")
  }

  private typealias Operation = SemaphoreSet.Operation

  @Test("whose maker died before it had values is an error after the time, which says what to do")
  func isGivenUp() throws {
    let directory = try TemporaryDirectory()
    let key = try SystemVKey(path: directory.path, project: 7)
    let set = try SemaphoreSet.createUninitialised(key, count: 1, mode: 0o600)
    defer { try? set.remove() }
    let failed = failure { () throws(SystemCallError) in
      try SemaphoreSet.createOrOpen(key, values: [1], until: Deadline(after: .milliseconds(20)))
    }
    #expect(failed?.code == .timedOut)
    #expect(failed?.description.contains("gave it no values; remove it with ipcrm -S \(key)") == true)
    #expect(try SemaphoreSet.open(key, awaitsValues: false) == set)
    // Who follows the advice can go on.
    _ = try Tool("/usr/bin/ipcrm", "-S", "\(key)").run()
    let opened = try SemaphoreSet.createOrOpen(key, values: [1])
    defer { try? opened.object.remove() }
    #expect(opened.isNew)
  }

  @Test("and a segment of another user are not taken for ours", .enabled(if: isRoot, "needs root to become a user"))
  func refusesForeignOnes() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("semaphore-foreign", directory.path)
  }

  @Test("tells its values, who waits and who was last, and is set")
  func tells() throws {
    let set = try SemaphoreSet.create(values: [1, 2])
    defer { try? set.remove() }
    #expect(try [set.value(), set.value(1)] == [1, 2])
    #expect(try set.lastProcess() == getpid())
    try set.setValue(1, to: 9)
    #expect(try set.values() == [1, 9])
    #expect(why { () throws(SystemCallError) in try set.setValue(to: 32768) }?.rawValue == ERANGE)
    #expect(why { () throws(SystemCallError) in try set.value(2) } == .invalidArgument)
    #expect(why { () throws(SystemCallError) in try set.setValues([1]) } == .invalidArgument)
    let waiter = Background { try? set.wait(0, amount: 2, until: Deadline(after: .seconds(20))) }
    try eventually { try set.waitersForIncrease() == 1 }
    try set.post(0)
    waiter.join()
    #expect(try set.value() == 0 && set.waitersForIncrease() == 0)
  }

  @Test("is waited for no longer than a time limit")
  func isAwaitedInATimeLimit() throws { try ProbeProgram.check("bound-semaphore") }
}

/// Waits, for 20 seconds at most, for what the kernel announces by nothing.
func eventually(_ condition: () throws -> Bool, at location: SourceLocation = #_sourceLocation) throws {
  let deadline = Deadline(after: .seconds(20))
  while try !condition() {
    try #require(!deadline.isExpired, "it never came", sourceLocation: location)
    sched_yield()
  }
}
