import Admission
import CSharedLayouts
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// Orders from outside: begatd's messages and stop signals.
extension Listener {
  /// Does everything that begatd has said.
  mutating func readChannel() {
    while true {
      switch reporter.nextMessage() {
      case .empty: return
      case .closed: return channelClosed()
      case .message(let message, let file): obey(message, file)
      }
    }
  }

  /// - Parameter file: passed with the message.
  private mutating func obey(_ message: SupervisorMessage, _ file: consuming Descriptor?) {
    switch message {
    case .question(let number): reporter.sayAlive(number)
    case .begin(let columns): begin(clearing: AdmissionColumns(rawValue: UInt32(columns)))
    case .clear(let columns): clear(AdmissionColumns(rawValue: UInt32(columns)))
    case .retire(let retirement): retire(retirement)
    case .end(let order): reporter.sayEnded(order, count: end(order.selection))
    case .dropBoard(let number): sharedState?.dropBoard(number)
    case .state, .board: take(file, message)
    case .nameRequests: break
    }
  }

  /// Keeps memory that begatd has passed.
  private mutating func take(_ file: consuming Descriptor?, _ message: SupervisorMessage) {
    guard let sharedState, let file else { return }
    do throws(SystemCallError) {
      if case .board(let number) = message {
        try sharedState.takeBoard(number, file)
      } else {
        try sharedState.takePage(file)
      }
    } catch { reporter.log(.warning, "\(error)") }
  }

  /// Begins to accept clients.
  ///
  /// - Parameter columns: those of listeners that are dead.
  mutating func begin(clearing columns: AdmissionColumns = []) {
    guard drain == nil else { return }
    guard !hasBegun else { return clear(columns) }
    hasBegun = true
    if options.admissionBook != nil {
      admission.begin(clearing: columns)
      datagramAnswers?.begin(clearing: columns)
    }
    // Not before: clients of the former listener, which may expect no header, would be delayed.
    if options.requiresProxies { sockets.deferConnections() }
    watchSockets(true)
    watchDatagrams(true)
  }

  /// Gives back the places that dead listeners have left in the book; before the beginning, nothing may be changed in it.
  private mutating func clear(_ columns: AdmissionColumns) {
    guard hasBegun, options.admissionBook != nil, drain == nil else { return }
    admission.clear(columns)
    datagramAnswers?.clear(columns)
  }

  /// Stops accepting.
  private mutating func retire(_ retirement: Retirement) {
    defer { if retirement.hurries { hurry() } }
    if let drain {
      // Connections that were told to end keep their grace period.
      if drain.signal == .terminate { self.drain?.deadline = Deadline(after: retirement.drainTimeout) }
      if !retirement.closesSockets {
        closeSockets(all: true)
        hastenHeaders()
      }
      if retirement.endsPrograms { endPrograms() }
      return
    }
    if retirement.closesSockets { sockets.markClosing() }
    giveSocketsUp(drainTimeout: retirement.drainTimeout, retirement.closesSockets ? .atStop : .atHandover)
    if retirement.endsPrograms { endPrograms() }
    // A successor that takes over is no news of this listener.
    sayStopping(retirement.drainTimeout, retirement.closesSockets ? .info : .debug)
  }

  /// Obeys a stop signal: the first one retires the listener, a further one ends its connections within a second.
  mutating func stop() {
    guard drain == nil else { return hurry() }
    // A supervisor has the sockets too, and so has a service manager that passed them: a successor accepts what waits.
    // At a socket of its own, this listener does.
    let hasSupervisor = reporter.channelNumber != nil
    if !hasSupervisor { sockets.giveUpOwn() }
    giveSocketsUp(drainTimeout: options.drainTimeout, hasSupervisor ? .atHandover : .atStop)
    guard offerKind.handsOver else { return sayStopping(options.drainTimeout) }
    // They would go on accepting, and no successor could begin before their end.
    endPrograms()
    if !table.isEmpty { reporter.log(.info, "stopping; the program is told to end") }
  }

  private mutating func giveSocketsUp(drainTimeout: Duration, _ patience: Antechamber.Patience) {
    beginDrain(drainTimeout, patience)
    // The next process may accept clients that wait for the server's first word.
    if options.requiresProxies, hasBegun { sockets.endDeferral() }
    closeSockets(all: !hasBegun)
    emptying.isUnderWay = !sockets.isEmpty
    emptySockets()
  }

  /// Lets no header of a listener that drains hold up a successor, for which clients wait now.
  private mutating func hastenHeaders() {
    drain?.patience = .atHandover
    antechamber.limit(to: .atHandover, now: .now)
  }

  private mutating func sayStopping(_ timeout: Duration, _ severity: Severity = .info) {
    guard !table.isEmpty else { return }
    let connections = "\(table.count) \(table.count == 1 ? "connection" : "connections")"
    reporter.log(severity, "stopping; \(connections) may go on for \(DurationText.render(timeout))")
  }

  /// Reports, once, that no client will be accepted any more, by this process or by a program that has a socket.
  mutating func sayRetiredIfDue() {
    guard let drain, !drain.hasSaidRetired, sockets.isEmpty, antechamber.isEmpty,
      !offerKind.handsOver || table.isEmpty
    else { return }
    self.drain?.hasSaidRetired = true
    // For a begatd that comes later than this message.
    scoreboard.header.pointee.is_draining = UInt32(BEGAT_RETIRED)
    reporter.sayRetired()
  }

  /// Stops because begatd has ended: no other process will stop this listener.
  ///
  /// Where the next begatd can be told, it is told all that it must know.
  private mutating func channelClosed() {
    if let channel = reporter.channelNumber { try? poller.remove(channel) }
    reporter.loseChannel()
    if let channel = reporter.channelNumber {
      do throws(SystemCallError) { try poller.add(channel, .readable, token: Token.channel) } catch {
        reporter.log(.warning, "\(error); begatd cannot give orders")
      }
    }
    if drain == nil {
      reporter.log(.warning, "the supervisor is gone")
      stop()
    }
    drain?.hasSaidRetired = false
  }
}
