import Testing
@_spi(Begat) import UnixCore

@testable import ForkingServer

/// When the listener accepts itself because spares cannot be made as fast as clients come.
@Suite(.timeLimit(.minutes(1))) struct SparePoolTests {
  private let start = Deadline.now

  private func time(_ milliseconds: Int) -> Deadline { start.advanced(by: .milliseconds(milliseconds)) }

  /// Memory for the board, never freed.
  private func room(for count: Int = 4) -> UnsafeMutableRawBufferPointer {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: SpareMemory.size(capacity: count), alignment: 64)
    room.initializeMemory(as: UInt8.self, repeating: 0)
    return room
  }

  /// A pool whose spares are used up soon, while a number of clients wait.
  private func meet(_ clients: Int, _ pool: inout SparePool, opened: Int, at milliseconds: Int) -> Int {
    pool.open(now: time(opened))
    for _ in 0..<clients { pool.noteClient(now: time(milliseconds)) }
    pool.noteHelp(now: time(milliseconds))
    let pause = Int(time(milliseconds).duration(to: pool.reopenTime).nanoseconds / 1_000_000)
    if pause > 0 { pool.close() }
    return pause
  }

  @Test func oneClientThatComesAgainAndAgainIsNoCrowd() throws {
    var pool = try SparePool(upTo: 4, in: room())
    for clients in 0...2 {
      let pause = meet(clients, &pool, opened: 0, at: 1)
      #expect(pause <= 0)
    }
    let isOpen = pool.isOpen
    #expect(isOpen)
  }

  @Test func aCrowdIsTheListenersForLongerEachTime() throws {
    var pool = try SparePool(upTo: 4, in: room())
    var now = 1000
    for expected in [100, 200, 400, 800, 1600, 1600] {
      now += 5000
      // The first one that is met has been waited for long.
      let opened = expected == 100 ? now - 500 : now - 10
      let pause = meet(16, &pool, opened: opened, at: now)
      #expect(pause == expected)
    }
    // Spares that have lasted for a while begin anew.
    let pause = meet(16, &pool, opened: now + 5000, at: now + 5100)
    #expect(pause == 100)
  }

  @Test func theListenerGoesOnWhileClientsComeTogether() throws {
    var pool = try SparePool(upTo: 4, in: room())
    let pause = meet(16, &pool, opened: 0, at: 500)
    #expect(pause == 100)
    var reopenTime = Deadline.immediate
    for _ in 0..<10 {
      for _ in 0..<2 { pool.noteClient(now: time(550)) }
      pool.noteTurn()
    }
    pool.lookForCrowd(now: time(600))
    reopenTime = pool.reopenTime
    #expect(reopenTime == time(700))
    for _ in 0..<10 {
      pool.noteClient(now: time(650))
      pool.noteTurn()
    }
    pool.lookForCrowd(now: time(700))
    reopenTime = pool.reopenTime
    #expect(reopenTime == time(700))
  }

  /// A client is held, or sockets are emptied: the listener has nothing to do for spares until that is over.
  @Test func nothingIsDueWhileTheGateHasToStayClosed() throws {
    var pool = try SparePool(upTo: 4, in: room())
    pool.noteClient(now: start)
    let (demand, open, closed) = (pool.demand.due, pool.due(mayOpen: true), pool.due(mayOpen: false))
    #expect(open == .immediate && closed == demand && demand > start)
  }

  @Test func aServiceWithoutSparesHasNone() throws {
    let pool = try SparePool(upTo: 0, in: room(for: 0))
    let (areUsed, isUsable, bell, due) = (pool.areUsed, pool.isUsable, pool.bellNumber, pool.due(mayOpen: true))
    #expect(!areUsed && !isUsable && bell == nil && due == .never)
  }
}
