import Glibc
@_spi(Begat) import UnixCore

/// The life of a server that forks: wait, look at signals, reap, accept, fork; and at last, drain.
struct ConnectionServerLoop: ~Copyable {
  typealias Handler = (consuming Descriptor, SocketAddress?) throws -> Void

  private var listener: ListeningSocket?
  private var isWatched = true
  private let maxChildren: Int
  /// The signals that are blocked in the children.
  private let childMask: SignalSet
  private let signals: SignalQueue
  private let poller: Poller
  private var children: [pid_t: SocketAddress?] = [:]
  /// A connection that could not be forked for yet.
  private var pending: AcceptedConnection?
  /// When descriptors, memory or processes were used up last, and for how long nothing is tried then.
  private var retry = Deadline.immediate

  private static let stopSignals = SignalSet.terminationRequests
  private static let shortageDelay: Duration = .milliseconds(100)
  /// From SIGTERM to SIGKILL.
  private static let killDelay: Duration = .seconds(2)

  /// Blocks the signals that the server waits for.
  init(_ listener: consuming ListeningSocket, maxChildren: Int, childMask: SignalSet) throws(SystemCallError) {
    let poller = try Poller()
    let signals = try SignalQueue(Self.stopSignals.union([.child]))
    try poller.add(signals.descriptor, .readable, token: 0)
    try poller.add(listener.descriptor, .readable, token: 1)
    self.poller = poller
    self.signals = signals
    self.listener = consume listener
    self.maxChildren = maxChildren
    self.childMask = childMask
  }

  /// Serves until a signal stops the server, which is returned; nil at the deadline and when it is cancelled.
  mutating func serve(
    until deadline: Deadline, cancelledBy cancellation: Cancellation?,
    childDidStart: (ConnectionServer.StartedChild) -> Void, childDidEnd: (ConnectionServer.EndedChild) -> Void,
    _ handler: Handler
  ) throws(SystemCallError) -> Signal? {
    while true {
      if let signal = takeSignals(childDidEnd) { return signal }
      if deadline.isExpired || cancellation?.isCancelled == true { return nil }
      let mayAccept = children.count < maxChildren && retry.hasPassed
      if mayAccept, try serveNext(childDidStart, handler) { continue }
      try watchListener(mayAccept)
      poller.wait(until: retry.hasPassed ? deadline : min(deadline, retry), cancelledBy: cancellation) { _ in }
    }
  }

  /// Waits for the children to end, ends those that remain after the grace period, and reaps them all.
  mutating func drain(for gracePeriod: Duration, childDidEnd: (ConnectionServer.EndedChild) -> Void) {
    pending = nil
    listener = nil
    awaitChildren(until: Deadline(after: gracePeriod), endsAtSignal: true, childDidEnd)
    for process in children.keys { try? Signal.terminate.send(toGroup: process) }
    awaitChildren(until: Deadline(after: Self.killDelay), endsAtSignal: false, childDidEnd)
    for process in children.keys { try? Signal.kill.send(toGroup: process) }
    awaitChildren(until: .never, endsAtSignal: false, childDidEnd)
  }

  /// A deadline of the calling thread ends the serving, and not these waits: until all are reaped, there is work to do.
  private mutating func awaitChildren(
    until deadline: Deadline, endsAtSignal: Bool, _ childDidEnd: (ConnectionServer.EndedChild) -> Void
  ) {
    while true {
      let stop = takeSignals(childDidEnd)
      if children.isEmpty || endsAtSignal && stop != nil || deadline.hasPassed { return }
      signals.descriptor.waitForInput(untilExactly: deadline)
    }
  }

  /// Takes the signals that have come; the last one of those that stop the server, if one has.
  private mutating func takeSignals(_ childDidEnd: (ConnectionServer.EndedChild) -> Void) -> Signal? {
    var stop: Signal?
    // A process of the same user can send them without end.
    for _ in 0..<64 {
      guard let arrival = signals.take() else { break }
      if arrival.signal != .child { stop = arrival.signal }
    }
    // One SIGCHLD stands for any number of them.
    for (process, peer) in children {
      guard let status = Children.reap(process) else { continue }
      children[process] = nil
      retry = .immediate
      childDidEnd(ConnectionServer.EndedChild(process: process, peer: peer, status: status))
    }
    return stop
  }

  private mutating func watchListener(_ isWanted: Bool) throws(SystemCallError) {
    guard isWanted != isWatched, let number = listener?.descriptor.number else { return }
    if isWanted { try poller.add(number, .readable, token: 1) } else { try poller.remove(number) }
    isWatched = isWanted
  }

  /// Accepts a connection, if one waits, and forks for it.
  ///
  /// - Returns: whether there may be another one.
  private mutating func serveNext(
    _ childDidStart: (ConnectionServer.StartedChild) -> Void, _ handler: Handler
  ) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) {
      if let connection = pending.take() { return try serve(connection, childDidStart, handler) }
      if let connection = try listener?.nextConnection(until: .immediate) {
        return try serve(connection, childDidStart, handler)
      }
      return false
    } catch {
      guard error.code.isResourceExhaustion else { throw error }
      retry = Deadline(after: Self.shortageDelay)
      return false
    }
  }

  /// Forks for a connection, or keeps it for the next attempt.
  private mutating func serve(
    _ connection: consuming AcceptedConnection, _ childDidStart: (ConnectionServer.StartedChild) -> Void,
    _ handler: Handler
  ) throws(SystemCallError) -> Bool {
    do throws(SystemCallError) {
      let child = try fork(for: connection, handler)
      childDidStart(ConnectionServer.StartedChild(process: child, peer: connection.peer))
      return true
    } catch {
      pending = consume connection
      throw error
    }
  }

  /// Nothing but the fork itself can fail: a connection that is tried again has no process yet that speaks to it.
  private mutating func fork(
    for connection: borrowing AcceptedConnection, _ handler: Handler
  ) throws(SystemCallError) -> pid_t {
    let peer = connection.peer
    // Text that was printed and not written yet is this process's to write.
    fflush(nil)
    switch try ForkedProcess.fork(exitSignal: .child) {
    case .child: live(connection.socket.number, peer, handler)
    case .parent(let child):
      // Here as well as there, because either may come first.
      setpgid(child, child)
      children[child] = .some(peer)
      return child
    }
  }

  /// The life of a child.
  private func live(_ number: CInt, _ peer: SocketAddress?, _ handler: Handler) -> Never {
    setpgid(0, 0)
    do {
      // What the handler has captured may own descriptors.
      try VacatedDescriptors.vacate(from: 3, keeping: [number])
      childMask.setThreadMask()
      try handler(Descriptor(owning: number), peer)
      fflush(nil)
      ProcessControl.exitImmediately(status: 0)
    } catch {
      fflush(nil)
      CommandLineProgram.report("\(peer.map { "\($0): " } ?? "")\(error)")
      ProcessControl.exitImmediately(status: 1)
    }
  }
}
