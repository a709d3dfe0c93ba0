import CSharedLayouts
import ControlProtocol
import Glibc
import NetworkServices
@_spi(Begat) import UnixCore

/// What happens when a connection process has ended.
extension Listener {
  mutating func ended(_ child: Int32, _ status: ExitStatus) {
    if spares.areUsed { spareEnded(child, status) }
    guard let entry = table.remove(child) else { return }
    // The process's own claims, copied once: an attacker may have it, and its descendants may still write here.
    let word = begat_copy_slot(scoreboard.slot(Int(entry.slot)))
    let outcome = outcome(status, of: entry, waiting: word.waiting)
    let ender = Ender(entry.ending, outcome)
    // Before the record, and before another program's output can be joined to this program's.
    if startsPrograms { readLastWords(of: entry) }
    if entry.place >= 0 { handoverEnded(status, entry) }
    let now = Deadline.now
    // Its claim counts if it is possible.
    let said = Deadline(instant: word.ended)
    let duration = (said >= entry.started && said <= now ? said : now).instant - entry.started.instant
    if isCrash(outcome) { noteCrash(of: entry, now: now) }
    scoreboard.countEnded(outcome, duration: duration, received: word.bytes_received, sent: word.bytes_sent)
    scoreboard.header.pointee.active = UInt32(table.count)
    scoreboard.slot(Int(entry.slot)).pointee.pid = 0

    let isProblem = ConnectionRecord.isProblem(outcome, ender)
    switch options.log {
    case .open: break
    // A balancer's checks, every few seconds, would fill the log.
    case .connections: guard isProblem || !entry.isOfProxy else { return }
    case .problems: guard isProblem else { return }
    case .none: return
    }
    guard isProblem || recordLimit.admits(now) else {
      scoreboard.header.pointee.unsummed &+= 1
      return recordLimit.count(outcome, bytes: (word.bytes_received, word.bytes_sent), now)
    }
    batch.append(
      begat_record(
        .ended, process: child, peer: entry.peer, via: entry.via, user: entry.user, socket: entry.socket,
        text: peerText,
        duration: duration, received: word.bytes_received, sent: word.bytes_sent, outcome: outcome, ender: ender))
    scoreboard.header.pointee.records &+= 1
    if batch.isFull { report() }
  }

  /// Counts a client that was accepted and got no process.
  func endedUnserved(_ outcome: Outcome) { scoreboard.countEnded(outcome, duration: 0, received: 0, sent: 0) }

  private mutating func noteCrash(of entry: borrowing ConnectionTable.Entry, now: Deadline) {
    switch entry.reservation {
    case .some(let reservation): admission.noteCrashed(reservation, now: now)
    // A program that accepts its clients itself.
    case nil: break
    }
  }

  /// Whether the connection's process, or the program of a relayed one, has done something that no right one does.
  private func isCrash(_ outcome: Outcome) -> Bool {
    switch outcome {
    case .crashed: true
    case .exited(let status): offerKind.relays && Listener.isCrash(signal: CInt(status) - 128)
    default: false
    }
  }

  /// Whether the kernel, or abort(3), ends a process by this signal that has done something impossible.
  private static func isCrash(signal: CInt) -> Bool {
    switch signal {
    case SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS: true
    default: false
    }
  }

  /// Delivers the records that were gathered.
  mutating func report() {
    guard !batch.isEmpty || reporter.hasNews else { return }
    reporter.report(&batch, isLast: drain != nil && table.isEmpty)
    scoreboard.header.pointee.records_dropped = UInt64(reporter.droppedRecords)
  }

  /// - Parameter waiting: the process's own claim on what it waited for; it only chooses between two limits' names.
  private func outcome(_ status: ExitStatus, of entry: borrowing ConnectionTable.Entry, waiting: UInt32) -> Outcome {
    if entry.ending == .overdue { return .maxDuration }
    return switch status {
    case .exited(Outcome.completeStatus): .complete
    case .exited(let code) where offerKind.runsPrograms: .exited(status: UInt8(truncatingIfNeeded: code))
    case .exited(Outcome.clientClosedStatus): .clientClosed
    case .exited, .unknown: .failed
    // The alarm's doing, or a relay's, which ends with all of its group.
    case .killed(let signal, _)
    where isLimit(waiting) && (signal == .alarm || signal == .kill && offerKind.runsPrograms):
      waiting == Waiting.firstByte.rawValue ? .firstByteTimeout : .idleTimeout
    case .killed(let signal, _) where signal == .terminate || signal == .kill:
      entry.ending == .stopped ? .stopped(by: signal) : .ended(by: signal)
    case .killed(let signal, _): .crashed(by: signal)
    }
  }

  private func isLimit(_ waiting: UInt32) -> Bool {
    waiting == Waiting.firstByte.rawValue || waiting == Waiting.idle.rawValue
  }
}

extension Ender {
  /// The cause of an end.
  ///
  /// - Parameter ending: why the process was told to end.
  fileprivate init(_ ending: ConnectionTable.Ending, _ outcome: Outcome) {
    self =
      switch (ending, outcome) {
      case (_, .crashed): .crash
      case (.overdue, _): .limit
      case (.ordered, _): .administrator
      case (.stopped, _): .drain
      case (.none, .complete), (.none, .exited), (.none, .failed): .service
      case (.none, .clientClosed): .client
      case (.none, .firstByteTimeout), (.none, .idleTimeout), (.none, .maxDuration): .limit
      case (.none, .ended): .signal
      case (.none, .stopped): .drain
      }
  }
}
