import Admission
import ControlProtocol
import ProxyProtocol
import Settings
@_spi(Begat) import UnixCore

/// Accepts a proxied client: trusts the peer, peeks at the header, receives it, admits the client, starts its process.
///
/// The kernel hands a connection over when its first bytes have arrived, nearly always the whole header.  A connection
/// whose header is incomplete then waits in the antechamber.
extension Listener {
  /// Accepts a connection of a proxy, if a client may be accepted, and gives its client a process.
  ///
  /// - Returns: whether further ones may be accepted.
  mutating func acceptProxied(at socket: borrowing ListeningSocket) throws(SystemCallError) -> Bool {
    let now = Deadline.now
    if let wait = admission.wait(now: now) {
      pauseAccepting(wait)
      return false
    }
    let peer = try AcceptedClient(at: socket, prefix: admission.limits.sourcePrefix)
    isBusy = true
    if proxyHeaders.trusts(peer.client) {
      receive(peer, now: now)
    } else {
      refuse(peer, .notProxy, now: now)
    }
    return accepting.pause == nil
  }

  /// Serves the client that a connection's header names, or lets the connection wait for its header.
  private mutating func receive(_ peer: consuming AcceptedClient, now: Deadline) {
    switch proxyHeaders.find(in: peer.connection) {
    case .header(let header):
      do throws(SystemCallError) {
        try proxyHeaders.take(header, from: &peer, prefix: admission.limits.sourcePrefix)
      } catch {
        // The header was there a moment ago: the connection has failed.
        return
      }
      admit(peer, now: now)
    case .incomplete(let hasBegun): awaitHeader(of: peer, hasBegun: hasBegun, now: now)
    case .invalid(let fault): closeFaulty(peer, fault, now: now)
    // Port checks of a balancer are not logged.
    case .gone: break
    }
  }

  private mutating func admit(_ accepted: consuming AcceptedClient, now: Deadline) {
    switch decision(on: accepted, now: now) {
    case .admitted(let reservation): start(AdmittedClient(accepted, reservation: reservation))
    case .refused(let refusal): reconsider(accepted, refusal, now: now)
    }
  }

  /// Closes a connection whose header is missing or wrong, without an answer: its proxy would take that for the client's.
  private mutating func closeFaulty(_ peer: consuming AcceptedClient, _ fault: HeaderFault, now: Deadline) {
    scoreboard.countRefused(fault.refusal.rawValue, now: now.instant)
    say(refusals.closed(fault, peer.client, now: now), .clientsRefused)
  }

  // MARK: - The antechamber

  private mutating func awaitHeader(of peer: consuming AcceptedClient, hasBegun: Bool, now: Deadline) {
    while antechamber.isFull, let oldest = antechamber.nextToClose {
      if !antechamber.isReady(oldest) {
        readHeader(at: oldest, now: now)
        guard antechamber.nextToClose == oldest else { continue }
      }
      closeLate(oldest, .crowded, now: now)
    }
    let number = peer.connection.number
    let place = antechamber.add(peer, until: now.advanced(by: proxyHeaders.timeout))
    if hasBegun { antechamber.setBegun(place) }
    if let drain { antechamber.limit(place, to: drain.patience, now: now) }
    do throws(SystemCallError) {
      // Peeking consumes nothing: a level-triggered event would wake the listener endlessly.
      try poller.add(number, [.readable, .endOfSending, .announcedOnce], token: Token.headers + UInt64(place))
    } catch {
      _ = antechamber.take(place)
      reporter.log(.error, "\(error)")
    }
  }

  /// Looks at connections about which the poller has announced something.
  ///
  /// - Parameter places: a bit for each.
  mutating func readHeaders(at places: UInt64) {
    let now = Deadline.now
    for place in Antechamber.Places(places & antechamber.taken) { readHeader(at: place, now: now) }
    admitReady()
  }

  private mutating func readHeader(at place: Int, now: Deadline) {
    let number = antechamber.number(place)
    switch Descriptor.withBorrowed(number, { proxyHeaders.find(in: $0) }) {
    case .header:
      guard !Descriptor.withBorrowed(number, { $0.isAbandoned }) else { return _ = takeOut(place) }
      // More bytes of its client give it no more time.
      guard !antechamber.isReady(place) else { return }
      // While the service is full its client waits here, as others do in the backlog.
      antechamber.setReady(place, until: drain.map { now.advanced(by: $0.patience.place) } ?? .never)
    case .incomplete(let hasBegun): if hasBegun { antechamber.setBegun(place) }
    case .invalid(let fault): closeFaulty(takeOut(place), fault, now: now)
    case .gone: _ = takeOut(place)
    }
  }

  /// Gives the clients whose headers have become complete their processes, as far as clients may be accepted.
  mutating func admitReady() {
    while accepting.pause == nil, let place = antechamber.firstReady {
      let now = Deadline.now
      if let wait = admission.wait(now: now) { return pauseAccepting(wait) }
      isBusy = true
      receive(takeOut(place), now: now)
    }
  }

  /// Closes the connections whose headers are late.
  mutating func closeLateConnections() {
    guard antechamber.due < .never else { return }
    let now = Deadline.now
    guard antechamber.due <= now else { return }
    while let place = antechamber.late(now) {
      if !antechamber.isReady(place) {
        // After a pause of this process more may have come than the poller has announced.
        readHeader(at: place, now: now)
        guard antechamber.late(now) == place else { continue }
      }
      closeLate(place, drain == nil ? .late(proxyHeaders.timeout) : .atStop, now: now)
    }
    admitReady()
  }

  /// Closes all connections that wait for headers.
  mutating func emptyAntechamber() {
    for place in Antechamber.Places(antechamber.taken) { _ = takeOut(place) }
  }

  /// Closes a connection that has waited too long, and logs it unless it has not sent anything, as a port scanner does.
  private mutating func closeLate(_ place: Int, _ fault: HeaderFault, now: Deadline) {
    let peer = takeOut(place)
    switch proxyHeaders.find(in: peer.connection) {
    case .incomplete(hasBegun: false): scoreboard.countRefused(fault.refusal.rawValue, now: now.instant)
    // Its client has waited for a place until the listener stopped, or until too many others did.
    case .header: refuse(peer, isRateUsedUp ? .rate : .maxConnections, now: now)
    case .incomplete, .invalid: closeFaulty(peer, fault, now: now)
    case .gone: break
    }
  }

  private var isRateUsedUp: Bool { if case .rate = accepting.pause { true } else { false } }

  /// Takes a connection out of the antechamber.
  private mutating func takeOut(_ place: Int) -> AcceptedClient {
    // A process that is forked for it would keep it in the poller's set.
    try? poller.remove(antechamber.number(place))
    return antechamber.take(place)
  }
}
