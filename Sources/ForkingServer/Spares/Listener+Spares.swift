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
    let now = Deadline.now
    if isBusy { spares.demand.noteClient(bySpare: false, now: now) }
    spares.demand.advance(now)
    guard spares.demand.target > 0 else { return dismissSpares() }
    let waiting = spares.memory.waiting
    if waiting < spares.demand.target, spares.retryTime <= now, accepting.held == nil {
      spares.demand.noteRefill(waiting: waiting)
      makeSpares(spares.demand.target - waiting)
    }
    spares.memory.setLowWater(spares.demand.lowWater)
    steerGate(now)
    scoreboard.header.pointee.spares = UInt8(clamping: spares.memory.waiting)
  }

  private mutating func makeSpares(_ count: Int) {
    do throws(SystemCallError) {
      if !spares.memory.isWatching { try spares.memory.watch(sockets.streams, keeping: process.pointee.kept) }
      // Only while spares are forked: no connection process that the listener forks for a client has this memory.
      try setAdmissionInherited(true)
      var left = count
      for number in 0..<spares.memory.capacity where left > 0 {
        guard spares.memory.state(number) == BEGAT_SPARE_NONE, let slot = table.reserveSlot() else { continue }
        try makeSpare(number, slot: slot)
        left -= 1
      }
      try setAdmissionInherited(false)
    } catch {
      try? setAdmissionInherited(false)
      spares.noteFailedFork()
    }
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

  /// Lets the spares accept clients, or the listener where there are none or where something is unusual.
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
    guard spares.demand.target > 0, spares.memory.isUsable else { return false }
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

  /// Takes that announcement back.
  func noteAwake() { if spares.areUsed { spares.memory.setAsleep(false) } }

  // MARK: - The end

  /// Ends the spares for good.  None that has a client is touched: it serves it, and drains as others do.
  ///
  /// Afterwards only this process has the listening sockets.
  mutating func endSpares() {
    guard spares.areUsed, spares.memory.isUsable else { return }
    dismissSpares()
    let deadline = Deadline(after: Listener.longestLeave)
    while true {
      tendSpares()
      takeExits()
      let areGone = (0..<spares.memory.capacity).allSatisfy { spares.memory.state($0) == BEGAT_SPARE_NONE }
      if areGone || deadline.hasPassed { break }
      SystemClock.sleep(for: .microseconds(200))
    }
    spares.memory.closePollers()
  }

  /// How long spares that have just accepted may take to close the listening sockets.
  private static let longestLeave: Duration = .seconds(1)

  /// Ends the spares that have no client, and lets the listener accept.
  private mutating func dismissSpares() {
    closeGate()
    guard spares.memory.waiting > 0 else { return }
    var dismissed: [(process: Int32, slot: UInt32)] = []
    // Under the lock none of them has a client or can get one.
    admission.locked {
      spares.memory.close()
      for number in 0..<spares.memory.capacity where spares.memory.state(number) == BEGAT_SPARE_WAITING {
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
    scoreboard.header.pointee.spares = 0
  }
}
