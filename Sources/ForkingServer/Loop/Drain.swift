import ControlProtocol
import Glibc
import Settings
import UnixIPC

/// The end of a listener: no more clients, and a last moment for those that are there.
struct Drain {
  /// CLOCK_MONOTONIC, nanoseconds.
  var deadline: Int64
  /// Sent to what is left at the deadline.
  var signal: Signal
  /// When what a program with the listening sockets has left behind is killed, and when to look whether it is gone;
  /// CLOCK_MONOTONIC nanoseconds, nil while there is nothing of the kind.
  var groupDeadline: Int64?
  var groupCheck: Int64?

  init(deadline: Int64, signal: Signal) {
    self.deadline = deadline
    self.signal = signal
  }

  /// How long the children of a program that has ended may go on.
  static let groupPatience: Int64 = 1_000_000_000
  static let groupCheckInterval: Int64 = 20_000_000
}

extension Listener {
  /// Stops accepting; told again, ends what is left at once.
  mutating func stop() {
    guard drain == nil else {
      drain?.deadline = Clock.monotonic()
      return
    }
    watchSockets(false)
    dropHeldClient()
    // Others may hold the same sockets open: closing ours would not take them out of the set.
    for entry in sockets.datagrams { try? poller.remove(entry.socket.descriptor.number) }
    sockets.close()
    drain = Drain(deadline: Clock.monotonic() + options.drainTimeout.nanoseconds, signal: .terminate)
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
    if drain?.groupCheck ?? .max <= Clock.monotonic() {
      drain?.groupCheck = nil
      reapAll()
    }
    guard let drain, Clock.monotonic() >= drain.deadline else { return }
    // Not reaped yet: each number still means the process that was forked.
    table.forEach { entry in
      Listener.send(drain.signal, to: entry.process, withGroup: offer.reachesGroup(by: drain.signal))
      entry.isEnding = true
    }
    var next = drain
    next.deadline = Clock.monotonic() + patience
    next.signal = .kill
    self.drain = next
  }

  /// Whether an ended program with the listening sockets has left processes in its group that are still given time.
  mutating func waitsForGroup(of process: pid_t) -> Bool {
    // Those that have ended do not count, as the program itself.
    guard drain != nil, let rest = try? Liveness(ofGroup: process), rest != .gone else { return false }
    let now = Clock.monotonic()
    let deadline = drain?.groupDeadline ?? now + Drain.groupPatience
    guard now < deadline else { return false }
    drain?.groupDeadline = deadline
    drain?.groupCheck = min(deadline, now + Drain.groupCheckInterval)
    return true
  }

  /// Time between the termination signal and SIGKILL, in nanoseconds.  Our own processes have nothing to tidy up.
  private var patience: Int64 { offer.runsPrograms ? 5_000_000_000 : 1_000_000_000 }

  /// - Parameter withGroup: whether to send it to what the process has started as well.
  static func send(_ signal: Signal, to process: pid_t, withGroup: Bool) {
    if withGroup, (try? signal.send(toGroup: process)) != nil { return }
    try? signal.send(to: process)
  }

  /// Ends connections whose time is up: politely first, and five seconds later for good.
  mutating func endOverdue(_ now: Int64) {
    guard options.maxDuration != nil else { return }
    table.forEach { entry in
      guard entry.deadline <= now else { return }
      let signal = entry.isOverdue ? Signal.kill : .terminate
      Listener.send(signal, to: entry.process, withGroup: offer.reachesGroup(by: signal))
      entry.isOverdue = true
      entry.isEnding = true
      entry.deadline = now + 5_000_000_000
    }
  }
}
