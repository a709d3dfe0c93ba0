import CSharedLayouts
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The time that open connections have after a listener's retirement.
struct Drain {
  var deadline: Deadline
  /// The signal that the remaining connections get at the deadline.
  var signal = Signal.terminate
  /// The time between that signal and SIGKILL.
  var gracePeriod: Duration
  /// How long connections may wait for their headers.
  var patience: Antechamber.Patience
  /// Whether begatd knows that no client will be accepted any more.
  var hasSaidRetired = false
  /// When the descendants that a program with the listening sockets has left behind are killed, and when to look whether
  /// they have ended; nil while there are none.
  var groupDeadline: Deadline?
  var groupCheck: Deadline?
  /// When programs that have listening sockets, and their descendants, are killed; nil unless they were told to end.
  var programDeadline: Deadline?
  /// Whether that is done.
  fileprivate var hasKilledPrograms = false

  init(deadline: Deadline, gracePeriod: Duration, patience: Antechamber.Patience) {
    self.deadline = deadline
    self.gracePeriod = gracePeriod
    self.patience = patience
  }

  /// After a second stop signal: everything ends within a second.
  static let shortGracePeriod: Duration = .milliseconds(300)
  /// How long the descendants of a program that has ended may go on.
  static let groupGracePeriod: Duration = .seconds(1)
  static let groupCheckInterval: Duration = .milliseconds(20)
  /// How long programs that have listening sockets may take to end: a stop is over within a second.
  static let programPatience: Duration = .milliseconds(900)

  /// Whether programs that have listening sockets get no more time for clients that wait there.
  var isProgramTimeOver: Bool { programDeadline.map { Deadline(after: Drain.programPatience / 2) > $0 } ?? false }

  /// When there is something to do, whatever happens.
  var due: Deadline {
    min(deadline, groupCheck ?? .never, hasKilledPrograms ? .never : programDeadline ?? .never)
  }
}

extension Listener {
  /// Lets open connections go on for a time; the sockets are not served any more, or only for their last clients.
  ///
  /// - Parameter patience: how long connections may wait for their headers.
  mutating func beginDrain(_ timeout: Duration, _ patience: Antechamber.Patience) {
    endSpares()
    scoreboard.header.pointee.is_draining = UInt32(BEGAT_DRAINING)
    // Processes of built-in services have nothing to tidy up.
    let gracePeriod: Duration = offerKind.runsPrograms ? .seconds(5) : .seconds(1)
    drain = Drain(deadline: Deadline(after: timeout), gracePeriod: gracePeriod, patience: patience)
    antechamber.limit(to: patience, now: .now)
    tellStopping(timeout, gracePeriod: gracePeriod)
  }

  /// Ends the remaining connections now instead of at the deadline.
  mutating func hurry() {
    closeSockets(all: true)
    emptyAntechamber()
    dropHeldClient(.stopped(by: .terminate))
    guard var next = drain else { return }
    next.deadline = next.signal == .terminate ? .now : min(next.deadline, Deadline(after: Drain.shortGracePeriod))
    next.gracePeriod = Drain.shortGracePeriod
    drain = next
  }

  /// Ends the remaining connections at the deadline, and kills those that are left after the grace period.
  mutating func advanceDrain() {
    if drain?.groupCheck?.hasPassed ?? false {
      drain?.groupCheck = nil
      reapAll()
    }
    killProgramsIfDue()
    guard var next = drain, next.deadline.hasPassed else { return }
    closeSockets(all: true)
    emptyAntechamber()
    dropHeldClient(.stopped(by: .terminate))
    // Not reaped yet: each number still means the process that was forked.
    table.forEach { entry in
      Listener.send(next.signal, to: entry.process, withGroup: offerKind.reachesGroup(by: next.signal))
      if !entry.isEnding { entry.ending = .stopped }
    }
    next.deadline = Deadline(after: next.gracePeriod)
    next.signal = .kill
    drain = next
  }

  /// Kills programs that have listening sockets and were told to end a while ago.
  private mutating func killProgramsIfDue() {
    guard let state = drain, !state.hasKilledPrograms, state.programDeadline?.hasPassed ?? false else { return }
    drain?.hasKilledPrograms = true
    closeSockets(all: true)
    table.forEach { entry in
      Listener.send(.kill, to: entry.process, withGroup: true)
      if !entry.isEnding { entry.ending = .stopped }
    }
    reapAll()
  }

  /// Whether an ended program with the listening sockets has left processes in its group whose grace period runs.
  mutating func waitsForGroup(of process: pid_t) -> Bool {
    // Processes that have ended, such as the program itself, do not count.
    guard drain != nil, let rest = try? Liveness(ofGroup: process), rest != .gone else { return false }
    let now = Deadline.now
    let deadline = drain?.programDeadline ?? drain?.groupDeadline ?? now.advanced(by: Drain.groupGracePeriod)
    guard now < deadline else { return false }
    drain?.groupDeadline = deadline
    drain?.groupCheck = min(deadline, now.advanced(by: Drain.groupCheckInterval))
    return true
  }

  /// Sends a signal to a connection's process.
  ///
  /// - Parameter withGroup: whether to send it to the whole of the process's group.
  static func send(_ signal: Signal, to process: pid_t, withGroup: Bool) {
    if withGroup, (try? signal.send(toGroup: process)) != nil { return }
    try? signal.send(to: process)
  }
}
