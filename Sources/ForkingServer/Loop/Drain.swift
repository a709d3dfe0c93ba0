import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A listener's end: it accepts no more clients, and gives open connections a grace period.
struct Drain {
  var deadline: Deadline
  /// The signal that the remaining connections get at the deadline.
  var signal: Signal
  /// When the descendants that a program with the listening sockets has left behind are killed, and when to look whether
  /// they have ended; nil while there are none.
  var groupDeadline: Deadline?
  var groupCheck: Deadline?

  init(deadline: Deadline, signal: Signal) {
    self.deadline = deadline
    self.signal = signal
  }

  /// How long the descendants of a program that has ended may go on.
  static let groupGracePeriod: Duration = .seconds(1)
  static let groupCheckInterval: Duration = .milliseconds(20)
}

extension Listener {
  /// Stops accepting; a second call ends the remaining connections immediately.
  mutating func stop() {
    guard drain == nil else {
      drain?.deadline = .now
      return
    }
    watchSockets(false)
    dropHeldClient()
    // Other processes may hold the same sockets open: closing ours would not take them out of the set.
    for entry in sockets.datagrams { try? poller.remove(entry.socket.descriptor.number) }
    sockets.close()
    drain = Drain(deadline: Deadline(after: options.drainTimeout), signal: .terminate)
    if case .handover = offer, !table.isEmpty {
      // The program has the sockets and would go on accepting, and so would its descendants: they are told to end.
      table.forEach { entry in
        Listener.send(.terminate, to: entry.process, withGroup: true)
        entry.isEnding = true
      }
      reporter.log(.info, "stopping; the program is told to end")
    } else if !table.isEmpty {
      reporter.log(
        .info,
        "stopping; \(table.count) \(table.count == 1 ? "connection" : "connections") may go on for \(DurationText.render(options.drainTimeout))"
      )
    }
  }

  /// Stops because begatd has ended: no other process will stop this listener.
  mutating func channelClosed() {
    if let channel = reporter.channelNumber { try? poller.remove(channel) }
    reporter.loseChannel()
    if drain == nil {
      reporter.log(.warning, "the supervisor is gone")
      stop()
    }
  }

  /// Ends the remaining connections at the deadline, and kills those that are left after the grace period.
  mutating func advanceDrain() {
    if drain?.groupCheck?.hasPassed ?? false {
      drain?.groupCheck = nil
      reapAll()
    }
    guard let drain, drain.deadline.hasPassed else { return }
    // Not reaped yet: each number still means the process that was forked.
    table.forEach { entry in
      Listener.send(drain.signal, to: entry.process, withGroup: offer.reachesGroup(by: drain.signal))
      entry.isEnding = true
    }
    var next = drain
    next.deadline = Deadline(after: gracePeriod)
    next.signal = .kill
    self.drain = next
  }

  /// Whether an ended program with the listening sockets has left processes in its group whose grace period runs.
  mutating func waitsForGroup(of process: pid_t) -> Bool {
    // Processes that have ended, such as the program itself, do not count.
    guard drain != nil, let rest = try? Liveness(ofGroup: process), rest != .gone else { return false }
    let now = Deadline.now
    let deadline = drain?.groupDeadline ?? now.advanced(by: Drain.groupGracePeriod)
    guard now < deadline else { return false }
    drain?.groupDeadline = deadline
    drain?.groupCheck = min(deadline, now.advanced(by: Drain.groupCheckInterval))
    return true
  }

  /// The time between the termination signal and SIGKILL.  Processes of built-in services have nothing to tidy up.
  private var gracePeriod: Duration { offer.runsPrograms ? .seconds(5) : .seconds(1) }

  /// Sends a signal to a connection's process.
  ///
  /// - Parameter withGroup: whether to send it to the whole of the process's group.
  static func send(_ signal: Signal, to process: pid_t, withGroup: Bool) {
    if withGroup, (try? signal.send(toGroup: process)) != nil { return }
    try? signal.send(to: process)
  }

  /// Ends connections whose time limit has passed: by SIGTERM first, and by SIGKILL five seconds later.
  mutating func endOverdue(_ now: Deadline) {
    guard options.maxDuration != nil else { return }
    table.forEach { entry in
      guard entry.deadline <= now else { return }
      let signal = entry.isOverdue ? Signal.kill : .terminate
      Listener.send(signal, to: entry.process, withGroup: offer.reachesGroup(by: signal))
      entry.isOverdue = true
      entry.isEnding = true
      entry.deadline = now.advanced(by: .seconds(5))
    }
  }
}
