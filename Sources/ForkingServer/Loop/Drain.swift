import ControlProtocol
import UnixIPC

/// The end of a listener: no more clients, and a last moment for those that are there.
struct Drain {
  /// CLOCK_MONOTONIC, nanoseconds.
  var deadline: Int64
  /// Sent to what is left at the deadline.
  var signal: Signal
}

extension Listener {
  /// Stops accepting; told again, ends what is left at once.
  mutating func stop() {
    guard drain == nil else {
      drain?.deadline = Clock.monotonic()
      return
    }
    watchSockets(false)
    // Others may hold the same sockets open: closing ours would not take them out of the set.
    for entry in sockets.datagrams { try? poller.remove(entry.socket.descriptor.number) }
    sockets.close()
    drain = Drain(deadline: Clock.monotonic() + options.drainTimeout.nanoseconds, signal: .terminate)
    if !table.isEmpty {
      reporter.log(
        .info, "stopping; \(table.count) connections may go on for \(DurationText.render(options.drainTimeout))")
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
    guard let drain, Clock.monotonic() >= drain.deadline else { return }
    accepting.heldConnection = nil
    // Not reaped yet: each number still means the process that was forked.
    table.forEachProcess { try? drain.signal.send(to: $0) }
    self.drain = Drain(deadline: Clock.monotonic() + 1_000_000_000, signal: .kill)
  }
}

extension Duration {
  /// Whole nanoseconds; durations of options are at most 10 years.
  var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
