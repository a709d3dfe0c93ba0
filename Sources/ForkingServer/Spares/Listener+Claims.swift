import Admission
import CSharedLayouts
import ControlProtocol
import Glibc
@_spi(Begat) import UnixCore

/// Connections that spares have accepted come into the listener's own table.
extension Listener {
  /// Takes all connections of spares into the table that they have up to now: none is between its look at the bans and
  /// its claim.
  mutating func takeClaims() {
    guard spares.areUsed else { return }
    admission.locked {}
    tendSpares()
  }

  /// Looks at what spares have done.
  mutating func tendSpares() {
    // Some may have been left that were too slow when the listener began to stop.
    guard spares.areUsed, spares.isUsable || !spares.board.isEmpty else { return }
    let board = spares.board
    board.answerBell()
    for number in 0..<board.capacity {
      switch board.state(number) {
      case BEGAT_SPARE_ADMITTED: take(number)
      case BEGAT_SPARE_ASKING: decide(number)
      default: break
      }
    }
    guard spares.isOpen, !board.isOpen else { return }
    // A spare could not accept.
    spares.noteTrouble()
    closeGate()
  }

  /// Takes the connection of a spare into the table; forgets the spare once it no longer uses the shared memory.
  private mutating func take(_ number: Int) {
    let claim = spares.board.claim(number)
    if claim.pointee.is_taken == 0 {
      spares.board.lastSource = claim.pointee.source
      take(number, admission.takeOver(source: claim.pointee.source, places: Int(claim.pointee.places)))
      spares.noteSuccess()
      spares.demand.noteClient(bySpare: true, now: .now)
    }
    if spares.board.hasLeft(number) { spares.board.setState(number, Int(BEGAT_SPARE_NONE)) }
  }

  private mutating func take(_ number: Int, _ reservation: consuming Reservation) {
    let claim = spares.board.claim(number)
    claim.pointee.is_taken = 1
    let started = Deadline(instant: claim.pointee.started)
    let entry = ConnectionTable.Entry(
      process: claim.pointee.pid, slot: claim.pointee.slot, started: started, user: claim.pointee.user,
      peer: claim.pointee.peer, reservation: reservation, socket: claim.pointee.socket,
      deadline: options.maxDuration.map { started.advanced(by: $0) } ?? .never)
    scoreboard.countAccepted(now: started.instant)
    if logsOpenings { noteOpened(entry) }
    table.insertReserved(entry)
    scoreboard.header.pointee.active = UInt32(table.count)
    isBusy = true
  }

  /// Decides on a client that a spare has accepted and would refuse.
  private mutating func decide(_ number: Int) {
    // Some of the connections that count may have ended a moment ago, and so may the spare itself.
    takeExits()
    guard spares.board.state(number) == BEGAT_SPARE_ASKING else { return }
    let claim = spares.board.claim(number)
    let now = Deadline.now
    let client = claim.pointee.client(prefix: admission.limits.sourcePrefix)
    isBusy = true
    switch admission.admit(client, now: now) {
    case .admitted(let reservation):
      claim.pointee.places = UInt32(reservation.placesOfSource)
      take(number, reservation)
      spares.board.answer(number, isAdmitted: true)
    case .refused(let refusal):
      noteRefused(client, refusal, now: now)
      spares.board.answer(number, isAdmitted: false)
    }
  }

  /// Cleans up after a process that has ended, if it is a spare.  Its connection is in the table then, if it has one.
  mutating func spareEnded(_ process: Int32, _ status: ExitStatus) {
    let board = spares.board
    guard let number = board.number(of: process) else { return }
    let claim = board.claim(number)
    // It has taken its client, given its place in the shared memory up, and changes nothing there any more.
    if board.hasLeft(number) { return take(number) }
    switch board.state(number) {
    case BEGAT_SPARE_ADMITTED:
      take(number)
    case BEGAT_SPARE_WAITING:
      // It may have been woken for a client, which announces itself to no other spare.
      spares.noteTrouble()
      closeGate()
      if let pause = spares.noteDeath() {
        reporter.log(
          .warning,
          """
          spare processes end before they have a client, the last one with \(status); the listener makes none for \
          \(pause.nanoseconds / 1_000_000_000) s, and serves clients without them
          """)
      }
    case BEGAT_SPARE_ACCEPTED, BEGAT_SPARE_ASKING:
      // Its client is lost with it.
      scoreboard.countAccepted(now: claim.pointee.started)
      endedUnserved(.failed)
    default: break
    }
    if claim.pointee.is_taken == 0 { table.giveBack(claim.pointee.slot) }
    board.setState(number, Int(BEGAT_SPARE_NONE))
    repairCounts(after: process)
    admission.locked { board.recountWaiting() }
  }

  /// Counts the places of all clients anew if a spare has died while it changed the counts.
  mutating func repairCounts(after process: Int32) {
    // Not by the property, which would borrow all of the listener.
    settledAdmission.pointee.repair(after: process) { count in
      table.forEach { entry in
        switch entry.reservation {
        case .some(let reservation): count(reservation.source)
        case nil: break
        }
      }
      switch accepting.held {
      case .some(let held): count(held.reservation.source)
      case nil: break
      }
      spares.board.forEach(in: Int(BEGAT_SPARE_ADMITTED)) { _, claim in
        if claim.pointee.is_taken == 0 { count(claim.pointee.source) }
      }
    }
  }
}
