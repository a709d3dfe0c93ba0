import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
@_spi(Begat) import UnixCore

/// The pool of spares: made off the clients' way, several in one turn, and ended when they are no longer needed.
extension Listener {
  /// Whether spares are made and ended as clients come and go.
  var mayHaveSpares: Bool {
    spares.areUsed && hasBegun && drain == nil && !emptying.isUnderWay && spares.isUsable
  }

  /// Makes the spares that are missing, and lets them accept if all is well.
  mutating func fillSpares() {
    guard mayHaveSpares else { return }
    defer { scoreboard.header.pointee.spares = UInt8(clamping: spares.board.waiting) }
    let now = Deadline.now
    // A death is not announced when the kernel's queue of signals is full.
    if spares.demand.advance(now) { reapAll() }
    if accepting.held != nil {
      // The client's process may need the room that spares take.
      spares.noteFailedFork()
      return dismissSpares()
    }
    spares.noteTurn()
    guard spares.demand.target > 0 else { return dismissSpares() }
    if spares.board.waiting > spares.demand.target {
      dismissSpares(keeping: spares.demand.target)
      // One of them may have been woken for a client, which announces itself to no other.
      if spares.isOpen {
        accept(from: .max)
        if !mayOpenGate { closeGate() }
      }
    }
    if spares.isOpen, spares.board.waiting == 0 { helpSpares(now) }
    guard spares.isOpen || mayReopen(now) else { return }
    let waiting = spares.board.waiting
    if waiting < spares.demand.target, spares.retryTime <= now {
      spares.demand.noteRefill(waiting: waiting)
      makeSpares(spares.demand.target - waiting)
    }
    spares.board.setLowWater(spares.demand.lowWater)
    steerGate(now)
  }

  private mutating func makeSpares(_ count: Int) {
    if spares.process == nil {
      do throws(SystemCallError) {
        try spares.prepare(
          process, settledAdmission, sockets: sockets.streams, slots: scoreboard.slot(0), refusalLine: refusalLine)
      } catch {
        spares.retire()
        reporter.log(.warning, "\(error); the service has no spare processes")
      }
    }
    guard let process = spares.process, spares.isUsable else { return }
    var left = count
    do throws(SystemCallError) {
      // Only while spares are forked: no connection process that the listener forks for a client has this memory.
      try admission.setInherited(true)
      for number in 0..<spares.board.capacity where left > 0 {
        guard spares.board.state(number) == BEGAT_SPARE_NONE, let slot = table.reserveSlot() else { continue }
        try make(SpareProcess.Birth(spare: process, number: number), slot: slot)
        left -= 1
      }
      // Every number still belongs to a spare that has a client.
      if left == count { spares.noteNoNumber() }
    } catch { spares.noteFailedFork() }
    // No connection process may inherit it.
    do throws(SystemCallError) { try admission.setInherited(false) } catch { failed("\(error)") }
  }

  private mutating func make(_ birth: SpareProcess.Birth, slot: UInt32) throws(SystemCallError) {
    scoreboard.slot(Int(slot)).pointee = begat_slot()
    let board = spares.board
    let claim = board.claim(birth.number)
    claim.pointee = begat_claim()
    claim.pointee.slot = slot
    board.setState(birth.number, Int(BEGAT_SPARE_WAITING))
    board.addWaiting(1)
    do throws(SystemCallError) {
      claim.pointee.pid = try ForkedProcess.fork(
        exitSignal: exitSignal, passing: birth, SpareProcess.live)
      memory.noteFork()
    } catch {
      board.setState(birth.number, Int(BEGAT_SPARE_NONE))
      board.addWaiting(-1)
      table.giveBack(slot)
      throw error
    }
  }

  // MARK: - The gate

  /// Lets the spares accept clients; without any, the listener accepts.
  private mutating func steerGate(_ now: Deadline) {
    guard spares.board.waiting > 0 else { return closeGate() }
    guard !spares.isOpen else { return }
    watchSockets(false)
    spares.open(now: now)
  }

  /// Whether the listener accepts clients, and has none that waits for a process.
  var mayOpenGate: Bool { accepting.pause == nil && accepting.held == nil && antechamber.isEmpty }

  /// Whether spares may accept again.
  private mutating func mayReopen(_ now: Deadline) -> Bool {
    guard spares.reopenTime <= now, mayOpenGate else { return false }
    spares.lookForCrowd(now: now)
    return spares.reopenTime <= now
  }

  /// Accepts the clients that wait while no spare is left.  If there are several, spares are not made as fast as clients
  /// come: then the listener accepts for a while.
  private mutating func helpSpares(_ now: Deadline) {
    accept(from: .max)
    spares.noteHelp(now: now)
    if !mayOpenGate || spares.reopenTime > now { closeGate() }
  }

  /// Lets the listener accept clients.
  mutating func closeGate() {
    guard spares.isOpen else { return }
    spares.close()
    if accepting.pause == nil, drain == nil { watchSockets(true) }
  }

  /// Announces that the listener will sleep.
  ///
  /// - Returns: whether a spare has already done something that the listener must handle first.
  func hasSpareNews() -> Bool {
    guard spares.areUsed, spares.isUsable || !spares.board.isEmpty else { return false }
    let board = spares.board
    board.setAsleep(true)
    if spares.isOpen, !board.isOpen { return true }
    return (0..<board.capacity).contains { number in
      switch board.state(number) {
      case BEGAT_SPARE_ADMITTED: board.claim(number).pointee.is_taken == 0
      case BEGAT_SPARE_ASKING: true
      default: false
      }
    }
  }

  /// Announces that the listener is awake again.
  func noteAwake() { if spares.areUsed { spares.board.setAsleep(false) } }

  // MARK: - The end

  /// Ends the spares for good.  A spare that has a client keeps it and drains like any other connection.
  ///
  /// Afterwards only this process has the listening sockets, unless one that has just accepted does not get on.
  mutating func endSpares() {
    guard spares.areUsed, spares.isUsable else { return }
    dismissSpares()
    let deadline = Deadline(after: Listener.maxLeaveTime)
    while true {
      tendSpares()
      takeExits()
      if spares.board.isEmpty { break }
      if deadline.hasPassed {
        reporter.log(.warning, "a spare process still has the listening sockets")
        break
      }
      SystemClock.sleep(for: .microseconds(200))
    }
    spares.retire()
  }

  /// How long spares that have just accepted may take to close the listening sockets.
  private static let maxLeaveTime: Duration = .milliseconds(200)

  /// Ends the spares that have no client, or those of them that are too many; without any, the listener accepts.
  private mutating func dismissSpares(keeping kept: Int = 0) {
    if kept == 0 { closeGate() }
    let board = spares.board
    scoreboard.header.pointee.spares = UInt8(clamping: kept)
    guard board.waiting > kept else { return }
    var dismissed: [(process: Int32, slot: UInt32)] = []
    // Under the lock none of them has a client or can get one.
    admission.locked {
      if kept == 0 { board.close() }
      board.forEach(in: Int(BEGAT_SPARE_WAITING)) { number, claim in
        guard board.waiting > kept else { return }
        Listener.send(.kill, to: claim.pointee.pid, withGroup: false)
        dismissed.append((claim.pointee.pid, claim.pointee.slot))
        board.setState(number, Int(BEGAT_SPARE_NONE))
        board.addWaiting(-1)
      }
    }
    for spare in dismissed {
      _ = try? Children.wait(for: spare.process)
      table.giveBack(spare.slot)
      // It may have died by itself before, with the lock.
      repairCounts(after: spare.process)
    }
  }

  /// Ends spares that were stopped before they had left the listening sockets: they take no client or keep its place, and
  /// none is made in their place.
  mutating func endStoppedSpares() {
    let board = spares.board
    for number in 0..<board.capacity where board.state(number) != BEGAT_SPARE_NONE && !board.hasLeft(number) {
      let process = board.claim(number).pointee.pid
      if Children.isStopped(process) { Listener.send(.kill, to: process, withGroup: false) }
    }
  }
}
