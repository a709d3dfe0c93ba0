import Glibc
@_spi(Begat) import UnixCore

/// Commands that a copy of this process watches, because this process has children that it did not start.
///
/// A shell that becomes `begat run` by its `exec` may have some, such as what reads its output in `exec > >(logger)`.  To
/// a limit they would look like what the commands have started.  The copy has none.
enum RunApart {
  /// Runs a body in the copy, passes signals on to it, and waits for its end.
  static func status(of body: () -> CInt) throws(SystemCallError) -> ExitStatus {
    let signals = try SignalQueue(RunWatch.passed)
    let parent = getpid()
    let copy = try ForkedProcess.run {
      // Killed, this process can pass on nothing.
      guard try ProcessControl.setParentDeathSignal(.terminate, parent: parent) else { return ExitStatuses.notStarted }
      return body()
    }
    while true {
      var set = PollSet()
      set.add(signals.descriptor.number, .readable)
      set.add(copy.handle.descriptor.number, .readable)
      _ = try set.wait(until: .never)
      while let arrival = signals.take() { if !arrival.hasReached(copy.process) { copy.send(arrival.signal) } }
      if let status = copy.status(until: .immediate) { return status }
    }
  }
}
