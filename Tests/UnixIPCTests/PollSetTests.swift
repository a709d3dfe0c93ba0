import Testing
import UnixIPC

@Suite(.timeLimit(.minutes(1))) struct PollSetTests {
  @Test("tells which descriptors are ready, and for what")
  func tellsWhoIsReady() throws {
    let silent = try Pipe.open()
    let speaking = try Pipe.open()
    try speaking.writing.writeAll("x")
    var set = PollSet()
    #expect(set.add(silent.reading.number, .readable) == 0)
    #expect(set.add(speaking.reading.number, .readable) == 1)
    #expect(set.add(silent.writing.number, [.readable, .writable]) == 2)
    #expect(try set.wait(until: .never))
    #expect(set[0] == [] && set[1] == .readable && set[2] == .writable)
    #expect(set.count == 3)
  }

  @Test("leaves out what has no number")
  func leavesOutNothing() throws {
    let pipe = try Pipe.open()
    var set = PollSet()
    set.add(-1, [.readable, .writable])
    set.add(pipe.writing.number, .writable)
    #expect(try set.wait(until: .never))
    #expect(set[0] == [] && set[1] == .writable)
    _ = pipe.reading.number
  }

  @Test("reports a hang-up unasked")
  func reportsHangUp() throws {
    let pair = try Descriptor.socketPair(kind: streamKind)
    let ours = pair.reading
    let theirs = pair.writing
    #expect(PollSet.readiness(of: ours.number, for: []) == [])
    _ = consume theirs
    #expect(PollSet.readiness(of: ours.number, for: []) == .hungUp)
    #expect(PollSet.readiness(of: ours.number, for: .readable) == [.hungUp, .readable])
  }

  @Test("ends at the deadline, with nothing ready", arguments: [0, 1, PollSet.capacity])
  func endsAtTheDeadline(count: Int) throws {
    let pipe = try Pipe.open()
    var set = PollSet()
    for _ in 0..<count { set.add(pipe.reading.number, .readable) }
    let deadline = Deadline(after: .milliseconds(20))
    #expect(try !set.wait(until: deadline))
    #expect(deadline.hasPassed)
    #expect((0..<count).allSatisfy { set[$0].isEmpty })
    #expect(try !set.wait(until: Deadline(instant: 0)))
    _ = pipe.writing.number
  }

  @Test("ends at a deadline of the thread, whose signals interrupt it")
  func endsAtTheThreadsDeadline() throws {
    let pipe = try Pipe.open()
    let isReady = try withDeadline(after: .milliseconds(20)) {
      var set = PollSet()
      set.add(pipe.reading.number, .readable)
      return try set.wait(until: .never)
    }
    #expect(!isReady)
    _ = pipe.writing.number
  }

  @Test("pauses for as long as it is told")
  func pauses() {
    let end = Deadline(after: .milliseconds(5))
    PollSet.pause(.milliseconds(5))
    #expect(end.hasPassed)
  }
}
