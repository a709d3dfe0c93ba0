import Admission
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A connection that was accepted and waits for a process.
final class HeldConnection {
  private var socket: Descriptor?
  let peer: RawSocketAddress
  let ticket: Admission.Ticket
  /// When it was accepted, CLOCK_MONOTONIC nanoseconds.
  let since: Int64

  init(socket: consuming Descriptor, peer: RawSocketAddress, ticket: Admission.Ticket, since: Int64) {
    self.socket = consume socket
    self.peer = peer
    self.ticket = ticket
    self.since = since
  }

  /// Hands the socket over; nil the second time.
  func take() -> Descriptor? { socket.take() }

  /// Whether the client has closed both directions or reset the connection.  One that has only ended its own direction
  /// may still wait for an answer.
  var isAbandoned: Bool {
    var query = pollfd(fd: -1, events: 0, revents: 0)
    switch socket {
    case .some(let socket): query.fd = socket.number
    case nil: return true
    }
    return poll(&query, 1, 0) > 0
  }
}

/// Whether a listener accepts, and if not, why and until when.
struct AcceptState {
  enum Pause {
    /// As many connections as allowed are open: goes on when one ends.
    case full
    /// As many as allowed have come: goes on at `retryTime`.
    case rate
    /// Descriptors, memory or processes are used up: tries again soon.
    case shortage(String, ErrorCode)
  }

  var pause: Pause?
  /// Whether the listening sockets are in the poller's set.
  var isWatching = false
  /// CLOCK_MONOTONIC, nanoseconds; nil when nothing is to be tried again.
  var retryTime: Int64?
  var heldConnection: HeldConnection?
  /// When the current shortage began. It is logged once at its start and once at its end, however many retries fail.
  var shortageBegan: Int64?
  private var delay = AcceptState.shortestDelay

  /// Nanoseconds.  The longest is what a client waits at most when the shortage is over.
  private static let shortestDelay: Int64 = 10_000_000
  private static let longestDelay: Int64 = 150_000_000

  mutating func scheduleRetry() {
    retryTime = SystemClock.monotonic() + delay
    delay = min(2 * delay, AcceptState.longestDelay)
  }

  mutating func resume() {
    pause = nil
    retryTime = nil
  }

  /// The shortage is over.
  mutating func recover() {
    delay = AcceptState.shortestDelay
    shortageBegan = nil
  }
}

extension Listener {
  /// Takes the listening sockets out of the set, so that waiting clients cause no work, and stay in the backlog.
  mutating func pauseAccepting(_ pause: AcceptState.Pause) {
    watchSockets(false)
    accepting.pause = pause
    switch pause {
    case .full: say(refusals.waiting(for: .maxConnections, now: SystemClock.monotonic()))
    case .rate: say(refusals.waiting(for: .rate, now: SystemClock.monotonic()))
    case .shortage(let call, let error):
      if accepting.shortageBegan == nil {
        accepting.shortageBegan = SystemClock.monotonic()
        reporter.log(.error, "\(call): \(error); clients wait until it can be had again")
      }
      accepting.scheduleRetry()
    }
  }

  /// Pauses until an instant, CLOCK_MONOTONIC nanoseconds.
  mutating func pauseAccepting(_ pause: AcceptState.Pause, until time: Int64) {
    pauseAccepting(pause)
    accepting.retryTime = time
  }

  /// Goes on when the reason for the pause may be over.
  mutating func resumeIfPossible() {
    guard drain == nil, let pause = accepting.pause else { return }
    dropHeldConnectionIfOver()
    switch pause {
    case .full where table.isFull:
      // A service that stays full is one episode, however long it lasts.
      return refusals.goesOn(for: .maxConnections, now: SystemClock.monotonic())
    case .full: break
    case .rate, .shortage:
      guard let retry = accepting.retryTime, SystemClock.monotonic() >= retry else { return }
    }
    accepting.resume()
    if let held = accepting.heldConnection {
      if let socket = held.take() { start(socket, held.peer, held.ticket, heldSince: held.since) }
      if accepting.pause != nil { return }
    }
    watchSockets(true)
  }

  /// Turns the connection away that waits for a process, if its client is gone or has waited for as long as it may be
  /// silent, or stay at all.
  private mutating func dropHeldConnectionIfOver() {
    guard let held = accepting.heldConnection else { return }
    if held.isAbandoned { return dropHeldConnection() }
    let limits = [options.firstByteTimeout ?? options.idleTimeout, options.maxDuration].compactMap { $0?.nanoseconds }
    guard let limit = limits.min(), SystemClock.monotonic() - held.since >= limit else { return }
    dropHeldConnection()
    reporter.log(
      .notice, "a client was turned away: no process could be had for it in \(DurationText.render(.nanoseconds(limit)))"
    )
  }

  /// Closes the connection that waits for a process, if there is one.
  mutating func dropHeldConnection() {
    guard let held = accepting.heldConnection else { return }
    admission.giveBack(held.ticket)
    accepting.heldConnection = nil
  }

  /// A connection has got its process: if there was a shortage, it is over.
  mutating func endShortage() {
    guard let began = accepting.shortageBegan else { return }
    let milliseconds = (SystemClock.monotonic() - began) / 1_000_000
    accepting.recover()
    reporter.log(.notice, "clients are served again after \(milliseconds) ms")
  }

  /// Watches the listening sockets, or stops doing so.
  mutating func watchSockets(_ isWatching: Bool) {
    guard isWatching != accepting.isWatching else { return }
    accepting.isWatching = isWatching
    if case .handover = offer { return watchPlaces() }
    // Answers to datagrams never wait.
    for (index, entry) in sockets.streams.enumerated() {
      watch(entry.socket.descriptor.number, isWatching, token: UInt64(index))
    }
  }

  mutating func watch(_ number: CInt, _ isWatching: Bool, token: UInt64) {
    do throws(SystemCallError) {
      if isWatching { try poller.add(number, .readable, token: token) } else { try poller.remove(number) }
    } catch { reporter.log(.error, "\(error)") }
  }
}
