import Testing
@_spi(Begat) import UnixCore

@Suite(.timeLimit(.minutes(30))) struct PollSetTests {
  @Test("tells which descriptors are ready, and for what")
  func tellsWhoIsReady() throws {
    let silent = try PipeEnds()
    let speaking = try PipeEnds()
    try speaking.writeEnd.writeAll("x")
    var set = PollSet()
    #expect(set.add(silent.readEnd.number, .readable) == 0)
    #expect(set.add(speaking.readEnd.number, .readable) == 1)
    #expect(set.add(silent.writeEnd.number, [.readable, .writable]) == 2)
    #expect(try set.wait(until: .never))
    #expect(set[0] == [] && set[1] == .readable && set[2] == .writable)
    #expect(set.count == 3)
  }

  @Test("leaves out what has no number")
  func leavesOutNothing() throws {
    let pipe = try PipeEnds()
    var set = PollSet()
    set.add(-1, [.readable, .writable])
    set.add(pipe.writeEnd.number, .writable)
    #expect(try set.wait(until: .never))
    #expect(set[0] == [] && set[1] == .writable)
    _ = pipe.readEnd.number
  }

  @Test("reports a hang-up unasked")
  func reportsHangUp() throws {
    let pair = try SocketPair(kind: .stream)
    let ours = pair.first
    let theirs = pair.second
    #expect(PollSet.readiness(of: ours.number, for: []) == [])
    _ = consume theirs
    #expect(PollSet.readiness(of: ours.number, for: []) == .hungUp)
    #expect(PollSet.readiness(of: ours.number, for: .readable) == [.hungUp, .readable])
  }

  @Test("ends at the deadline, with nothing ready", arguments: [0, 1, PollSet.capacity])
  func endsAtTheDeadline(count: Int) throws {
    let pipe = try PipeEnds()
    var set = PollSet()
    for _ in 0..<count { set.add(pipe.readEnd.number, .readable) }
    let deadline = Deadline(after: .milliseconds(20))
    #expect(try !set.wait(until: deadline))
    #expect(deadline.hasPassed)
    #expect((0..<count).allSatisfy { set[$0].isEmpty })
    #expect(try !set.wait(until: .immediate))
    _ = pipe.writeEnd.number
  }

  @Test("ends at a deadline of the thread, whose signals interrupt it")
  func endsAtTheThreadsDeadline() throws {
    let pipe = try PipeEnds()
    let isReady = try withDeadline(after: .milliseconds(20)) {
      var set = PollSet()
      set.add(pipe.readEnd.number, .readable)
      return try set.wait(until: .never)
    }
    #expect(!isReady)
    _ = pipe.writeEnd.number
  }
}
