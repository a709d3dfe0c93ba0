import ControlProtocol
import UnixIPC

/// A connection that was accepted and waits for a process.
final class HeldConnection {
  private var socket: Descriptor?
  let peer: NativeAddress

  init(socket: consuming Descriptor, peer: NativeAddress) {
    self.socket = consume socket
    self.peer = peer
  }

  /// Hands the socket over; nil the second time.
  func take() -> Descriptor? { socket.take() }
}

/// Whether a listener accepts, and if not, why and until when.
struct AcceptState {
  enum Pause {
    /// As many connections as allowed are open: goes on when one ends.
    case full
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
  /// When it was last said that all connections are taken.
  var fullSaid: Int64?
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
    guard case .shortage(let call, let error) = pause else { return sayFull() }
    if accepting.shortageBegan == nil {
      accepting.shortageBegan = Clock.monotonic()
      reporter.log(.error, "\(call): \(error); clients wait until it can be had again")
    }
    accepting.scheduleRetry()
  }

  /// Once a minute is enough for a service that stays at its limit.
  private mutating func sayFull() {
    let now = Clock.monotonic()
    if let said = accepting.fullSaid, now - said < 60_000_000_000 { return }
    accepting.fullSaid = now
    reporter.log(.notice, "max-connections (\(options.maxConnections)) reached; further clients wait")
  }

  /// Goes on when the reason for the pause may be over.
  mutating func resumeIfPossible() {
    guard drain == nil || accepting.heldConnection != nil, let pause = accepting.pause else { return }
    switch pause {
    case .full where table.isFull: return
    case .full: break
    case .shortage:
      guard let retry = accepting.retryTime, Clock.monotonic() >= retry else { return }
    }
    accepting.resume()
    if let held = accepting.heldConnection {
      guard !table.isFull else { return pauseAccepting(.full) }
      if let socket = held.take() { start(socket, held.peer) }
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
  }
}
