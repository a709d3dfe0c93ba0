import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The pool of spares: made off the clients' way, several in one turn, and ended when they are needed no more.
extension Listener {
  /// How many spares a service may have.
  static func spareLimit(_ options: ListenerOptions, _ offer: Offer, showsState: Bool) -> Int {
    // A PROXY header may come late: the listener waits for it.
    guard case .service = offer, !options.runsPrograms, !showsState, !options.requiresProxies else { return 0 }
    return options.spareProcesses
  }

  /// Makes the spares that are missing, and lets them accept if all is well.
  mutating func fillSpares() {
    guard spares.areUsed, hasBegun, drain == nil, !emptying.isUnderWay, spares.memory.isUsable else { return }
    if accepting.held != nil {
      // The client's process may need the room that spares take.
      spares.noteFailedFork()
      return dismissSpares()
    }
    let now = Deadline.now
    // A death is not announced when the kernel's queue of signals is full.
    if spares.demand.advance(now) { reapAll() }
    guard spares.demand.target > 0 else { return dismissSpares() }
    if spares.memory.waiting > spares.demand.target { dismissSpares(keeping: spares.demand.target) }
    let waiting = spares.memory.waiting
    if waiting < spares.demand.target, spares.retryTime <= now {
      spares.demand.noteRefill(waiting: waiting)
      makeSpares(spares.demand.target - waiting)
    }
    spares.memory.setLowWater(spares.demand.lowWater)
    steerGate(now)
    scoreboard.header.pointee.spares = UInt8(clamping: spares.memory.waiting)
  }

  private mutating func makeSpares(_ count: Int) {
    if !spares.memory.isWatching {
      do throws(SystemCallError) { try spares.memory.watch(sockets.streams, keeping: process.pointee.kept) } catch {
        spares.memory.closePollers()
        reporter.log(.warning, "\(error); the service has no spare processes")
        return
      }
    }
    do throws(SystemCallError) {
      // Only while spares are forked: no connection process that the listener forks for a client has this memory.
      try setAdmissionInherited(true)
      var left = count
      for number in 0..<spares.memory.capacity where left > 0 {
        guard spares.memory.state(number) == BEGAT_SPARE_NONE, let slot = table.reserveSlot() else { continue }
        try makeSpare(number, slot: slot)
        left -= 1
      }
    } catch { spares.noteFailedFork() }
    // Never may a client's process have it.
    do throws(SystemCallError) { try setAdmissionInherited(false) } catch { failed("\(error)") }
  }

  private func setAdmissionInherited(_ isInherited: Bool) throws(SystemCallError) {
    try admission.setInherited(isInherited)
    try spares.memory.setInherited(isInherited)
  }

  private mutating func makeSpare(_ number: Int, slot: UInt32) throws(SystemCallError) {
    scoreboard.slot(Int(slot)).pointee = begat_slot()
    let claim = spares.memory.claim(number)
    claim.pointee = begat_claim()
    claim.pointee.slot = slot
    spares.memory.setState(number, BEGAT_SPARE_WAITING)
    spares.memory.addWaiting(1)
    do throws(SystemCallError) {
      switch try ForkedProcess.fork(exitSignal: Listener.exitSignal) {
      case .child: liveAsSpare(number)
      case .parent(let child): claim.pointee.pid = child
      }
    } catch {
      spares.memory.setState(number, BEGAT_SPARE_NONE)
      spares.memory.addWaiting(-1)
      table.giveBack(slot)
      throw error
    }
  }

  // MARK: - The gate

  /// Lets the spares accept clients; the listener accepts itself if none waits, or after anything unusual.
  private mutating func steerGate(_ now: Deadline) {
    guard spares.memory.waiting > 0 else { return closeGate() }
    guard !spares.isOpen, mayOpenGate, spares.reopenTime <= now else { return }
    spares.isOpen = true
    watchSockets(false)
    spares.memory.open()
  }

  /// Whether the listener accepts clients, and has none that waits for a process.
  var mayOpenGate: Bool { accepting.pause == nil && accepting.held == nil && antechamber.isEmpty }

  /// Lets the listener accept clients.
  mutating func closeGate() {
    guard spares.isOpen else { return }
    spares.isOpen = false
    spares.memory.close()
    if accepting.pause == nil, drain == nil { watchSockets(true) }
  }

  /// Announces that the listener will wait until it is woken, if a spare has done nothing yet that it must know.
  ///
  /// - Returns: whether it has.
  func haveSparesNews() -> Bool {
    guard spares.areUsed, spares.memory.isUsable else { return false }
    spares.memory.setAsleep(true)
    if spares.isOpen, !spares.memory.isOpen { return true }
    return (0..<spares.memory.capacity).contains { number in
      switch spares.memory.state(number) {
      case BEGAT_SPARE_ADMITTED: spares.memory.claim(number).pointee.is_taken == 0
      case BEGAT_SPARE_ASKING: true
      default: false
      }
    }
  }

  /// Announces that the listener is awake again.
  func noteAwake() { if spares.areUsed { spares.memory.setAsleep(false) } }

  // MARK: - The end

  /// Ends the spares for good.  A spare that has a client keeps it and drains as any other connection.
  ///
  /// Afterwards only this process has the listening sockets, unless one that has just accepted does not get on.
  mutating func endSpares() {
    guard spares.areUsed, spares.memory.isUsable else { return }
    dismissSpares()
    let deadline = Deadline(after: Listener.longestLeave)
    while true {
      tendSpares()
      takeExits()
      let areGone = (0..<spares.memory.capacity).allSatisfy { spares.memory.state($0) == BEGAT_SPARE_NONE }
      if areGone { break }
      if deadline.hasPassed {
        reporter.log(.warning, "a spare process has the listening sockets still")
        break
      }
      SystemClock.sleep(for: .microseconds(200))
    }
    spares.memory.closePollers()
  }

  /// How long spares that have just accepted may take to close the listening sockets.
  private static let longestLeave: Duration = .seconds(1)

  /// Ends the spares that have no client, or those of them that are too many; without any, the listener accepts.
  private mutating func dismissSpares(keeping kept: Int = 0) {
    if kept == 0 { closeGate() }
    scoreboard.header.pointee.spares = UInt8(clamping: kept)
    guard spares.memory.waiting > kept else { return }
    var dismissed: [(process: Int32, slot: UInt32)] = []
    // Under the lock none of them has a client or can get one.
    admission.locked {
      if kept == 0 { spares.memory.close() }
      for number in 0..<spares.memory.capacity
      where spares.memory.waiting > kept && spares.memory.state(number) == BEGAT_SPARE_WAITING {
        let claim = spares.memory.claim(number).pointee
        Listener.send(.kill, to: claim.pid, withGroup: false)
        dismissed.append((claim.pid, claim.slot))
        spares.memory.setState(number, BEGAT_SPARE_NONE)
        spares.memory.addWaiting(-1)
      }
    }
    for spare in dismissed {
      _ = try? Children.wait(for: spare.process)
      table.giveBack(spare.slot)
    }
  }

  /// Ends spares that were stopped: they take no client, and none is made in their place.
  mutating func endStoppedSpares() {
    guard spares.areUsed else { return }
    for number in 0..<spares.memory.capacity where spares.memory.state(number) == BEGAT_SPARE_WAITING {
      let process = spares.memory.claim(number).pointee.pid
      if Children.isStopped(process) { Listener.send(.kill, to: process, withGroup: false) }
    }
  }
}
