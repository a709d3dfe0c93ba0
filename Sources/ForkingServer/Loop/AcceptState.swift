import Admission
import ControlProtocol
import UnixIPC

/// A connection that was accepted and waits for a process.
final class HeldConnection {
  private var socket: Descriptor?
  let peer: NativeAddress
  let ticket: Admission.Ticket

  init(socket: consuming Descriptor, peer: NativeAddress, ticket: Admission.Ticket) {
    self.socket = consume socket
    self.peer = peer
    self.ticket = ticket
  }

  /// Hands the socket over; nil the second time.
  func take() -> Descriptor? { socket.take() }
}

/// Whether a listener accepts, and if not, why and until when.
struct AcceptState {
  enum Pause {
    /// As many connections as allowed are open: goes on when one ends.
    case full
    /// As many as allowed have come: goes on at `retryTime`.
    case rate
    /// A program has the listening sockets: goes on when it ends, and at `retryTime` where there is one.
    case handedOver
    /// Descriptors, memory or processes are used up: tries again soon.
    case shortage(String, Errno)
  }

  var pause: Pause?
  /// Whether the listening sockets are in the poller's set.
  var isWatching = false
  /// CLOCK_MONOTONIC, nanoseconds; nil when nothing is to be tried again.
  var retryTime: Int64?
  var heldConnection: HeldConnection?
  /// Of the shortage that goes on, however often it is tried; said once at its beginning and once at its end.
  var shortageBegan: Int64?
  private var delay = AcceptState.shortestDelay

  /// Nanoseconds.  The longest is what a client waits at most when the shortage is over.
  private static let shortestDelay: Int64 = 10_000_000
  private static let longestDelay: Int64 = 150_000_000

  mutating func scheduleRetry() {
    retryTime = Clock.monotonic() + delay
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
    case .full: say(refusals.waiting(for: .maxConnections, now: Clock.monotonic()))
    case .rate: say(refusals.waiting(for: .rate, now: Clock.monotonic()))
    case .handedOver: break
    case .shortage(let call, let error):
      if accepting.shortageBegan == nil {
        accepting.shortageBegan = Clock.monotonic()
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
    guard drain == nil || accepting.heldConnection != nil, let pause = accepting.pause else { return }
    switch pause {
    case .full where table.isFull:
      // A service that stays full is one thing, however long.
      return refusals.goesOn(for: .maxConnections, now: Clock.monotonic())
    case .full: break
    case .handedOver where !table.isEmpty: return
    case .rate, .shortage, .handedOver:
      guard let retry = accepting.retryTime, Clock.monotonic() >= retry else { return }
    }
    accepting.resume()
    if let held = accepting.heldConnection {
      if let socket = held.take() { start(socket, held.peer, held.ticket) }
      if accepting.pause != nil { return }
    }
    if drain == nil { watchSockets(true) }
  }

  /// A connection has got its process: if there was a shortage, it is over.
  mutating func endShortage() {
    guard let began = accepting.shortageBegan else { return }
    let milliseconds = (Clock.monotonic() - began) / 1_000_000
    accepting.recover()
    reporter.log(.notice, "clients are served again after \(milliseconds) ms")
  }

  /// Watches the listening sockets, or stops doing so.
  mutating func watchSockets(_ isWatching: Bool) {
    guard isWatching != accepting.isWatching else { return }
    accepting.isWatching = isWatching
    for (index, entry) in sockets.streams.enumerated() {
      let number = entry.socket.descriptor.number
      do throws(CallFailure) {
        if isWatching { try poller.add(number, .readable, token: UInt64(index)) } else { try poller.remove(number) }
      } catch { reporter.log(.error, "\(error)") }
    }
    // Answers to datagrams never wait; a program that is handed the sockets has them to itself.
    guard case .handover = offer else { return }
    for (index, entry) in sockets.datagrams.enumerated() {
      let number = entry.socket.descriptor.number
      let token = Token.datagrams + UInt64(index)
      if isWatching { try? poller.add(number, .readable, token: token) } else { try? poller.remove(number) }
    }
  }
}
