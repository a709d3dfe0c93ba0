import ControlProtocol
import Glibc
import Settings
import UnixIPC

/// The end of a listener: no more clients, and a last moment for those that are there.
struct Drain {
  var deadline: Deadline
  /// Sent to what is left at the deadline.
  var signal: Signal
  /// When what a program with the listening sockets has left behind is killed, and when to look whether it is gone;
  /// nil while there is nothing of the kind.
  var groupDeadline: Deadline?
  var groupCheck: Deadline?

  init(deadline: Deadline, signal: Signal) {
    self.deadline = deadline
    self.signal = signal
  }

  /// How long the children of a program that has ended may go on.
  static let groupPatience: Duration = .seconds(1)
  static let groupCheckInterval: Duration = .milliseconds(20)
}

extension Listener {
  /// Stops accepting; told again, ends what is left at once.
  mutating func stop() {
    guard drain == nil else {
      drain?.deadline = .now
      return
    }
    watchSockets(false)
    dropHeldClient()
    // Others may hold the same sockets open: closing ours would not take them out of the set.
    for entry in sockets.datagrams { try? poller.remove(entry.socket.descriptor.number) }
    sockets.close()
    drain = Drain(deadline: Deadline(after: options.drainTimeout), signal: .terminate)
    if case .handover = offer, !table.isEmpty {
      // It has the sockets and would go on accepting, and so would what it has started: they are told to end.
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

  /// begatd is gone: nobody else will tell this listener to end.
  mutating func channelClosed() {
    if let channel = reporter.channelNumber { try? poller.remove(channel) }
    reporter.loseChannel()
    if drain == nil {
      reporter.log(.warning, "the supervisor is gone")
      stop()
    }
  }

  /// At the deadline ends what is left; what ignores that, a second later for good.
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
    next.deadline = Deadline(after: patience)
    next.signal = .kill
    self.drain = next
  }

  /// Whether an ended program with the listening sockets has left processes in its group that are still given time.
  mutating func waitsForGroup(of process: pid_t) -> Bool {
    // Those that have ended do not count, as the program itself.
    guard drain != nil, let rest = try? Liveness(ofGroup: process), rest != .gone else { return false }
    let now = Deadline.now
    let deadline = drain?.groupDeadline ?? now.advanced(by: Drain.groupPatience)
    guard now < deadline else { return false }
    drain?.groupDeadline = deadline
    drain?.groupCheck = min(deadline, now.advanced(by: Drain.groupCheckInterval))
    return true
  }

  /// Time between the termination signal and SIGKILL.  Our own processes have nothing to tidy up.
  private var patience: Duration { offer.runsPrograms ? .seconds(5) : .seconds(1) }

  /// - Parameter withGroup: whether to send it to what the process has started as well.
  static func send(_ signal: Signal, to process: pid_t, withGroup: Bool) {
    if withGroup, (try? signal.send(toGroup: process)) != nil { return }
    try? signal.send(to: process)
  }

  /// Ends connections whose time is up: politely first, and five seconds later for good.
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
