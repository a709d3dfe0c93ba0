@_spi(Begat) import UnixCore

/// The listener's waiting: the events that wake it, and the time limit.
extension Listener {
  /// The descriptors that the poller has found ready: a bit for each socket, where more than 64 share them.
  struct Ready {
    var streams: UInt64 = 0
    var datagrams: UInt64 = 0
    /// A bit for each place of the antechamber.
    var headers: UInt64 = 0
    var hasStopSignals = false
    /// Whether the ends of processes were waited for, and some have ended.
    var hasExits = false
    var isChannel = false
    var hasProgramErrors = false
    /// Whether pipes of connections may have something.
    var hasPipes = false
  }

  mutating func waitForWork() -> Ready {
    var ready = Ready()
    let limit = waitForQuietWork(&ready)
    poller.wait(milliseconds: limit) { event in
      switch event.token {
      case Token.stopSignals: ready.hasStopSignals = true
      case Token.spares: break
      case Token.channel: ready.isChannel = true
      case Token.programErrors: ready.hasProgramErrors = true
      case Token.allDatagrams: ready.datagrams |= 1 << (event.token & 63)
      case Token.allHeaders: ready.headers |= 1 << (event.token & 63)
      default: ready.streams |= 1 << (event.token & 63)
      }
    }
    return ready
  }

  /// Waits for ends of connections and for other work that is not urgent.
  ///
  /// While clients come, ends of connections do not wake the listener: they are handled in the turns that clients cause.
  /// A moment after the last client they are waited for as well.
  ///
  /// - Returns: how many milliseconds to wait for clients, stop signals and the channel after that; -1 forever.
  private mutating func waitForQuietWork(_ ready: inout Ready) -> CInt {
    let limit = timeUntilWork()
    if isBusy, accepting.pause == nil, drain == nil {
      isBusy = false
      if startsPrograms { ready.hasPipes = programLog.isLookDue() }
      return limit < 0 ? Listener.busyMilliseconds : min(limit, Listener.busyMilliseconds)
    }
    // From now on no client announces itself, and records would gather until the last connection has ended.
    if drain != nil { isBusy = false }
    if startsPrograms { programLog.watchNew() }
    quietPoller.wait(milliseconds: hasSpareNews() ? 0 : limit) { event in
      switch event.token {
      case Token.exits: ready.hasExits = true
      case Token.pipes: ready.hasPipes = true
      default: break
      }
    }
    noteAwake()
    return 0
  }

  private static let busyMilliseconds: CInt = 10

  /// Milliseconds until something is due that no descriptor announces; -1 if nothing is.
  private func timeUntilWork() -> CInt {
    var due = Deadline.never
    if !table.isEmpty { due = lastSweep.advanced(by: Listener.sweepInterval) }
    if let retry = accepting.retryTime { due = min(due, retry) }
    due = min(due, refusals.due, handover.due, programLog.due, recordLimit.due, manager.due, antechamber.due)
    if mayHaveSpares { due = min(due, spares.due(mayOpen: mayOpenGate)) }
    if let look = emptying.nextLook { due = min(due, look) }
    // Nothing announces room in the channel.
    if reporter.owesAnswers { due = min(due, Deadline(after: .milliseconds(50))) }
    if let drain { due = min(due, drain.due) }
    return due.milliseconds
  }
}
