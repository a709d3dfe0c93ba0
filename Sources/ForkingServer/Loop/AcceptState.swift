import Admission
import ControlProtocol
import Glibc
import Settings
import UnixIPC

/// Whether a listener accepts, and if not, why and until when.
struct AcceptState: ~Copyable {
  enum Pause {
    /// As many connections as allowed are open: goes on when one ends.
    case full
    /// As many as allowed have come: goes on at `retryTime`.
    case rate
    /// Descriptors, memory or processes are used up: tries again soon.
    case shortage(String, Errno)
  }

  var pause: Pause?
  /// Whether the listening sockets are in the poller's set.
  var isWatching = false
  /// When something is tried again; nil when nothing is.
  var retryTime: Deadline?
  /// A client that was admitted and waits for a process.
  var held: AdmittedClient?
  /// When the current shortage began. It is logged once at its start and once at its end, however many retries fail.
  var shortageBegan: Deadline?
  private var delay = AcceptState.shortestDelay

  private static let shortestDelay: Duration = .milliseconds(10)
  /// A client waits no longer than that when the shortage is over.
  private static let longestDelay: Duration = .milliseconds(150)

  mutating func scheduleRetry() {
    retryTime = Deadline(after: delay)
    delay = min(delay * 2, AcceptState.longestDelay)
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
    case .full: say(refusals.waiting(for: .maxConnections, now: .now))
    case .rate: say(refusals.waiting(for: .rate, now: .now))
    case .shortage(let call, let error):
      if accepting.shortageBegan == nil {
        accepting.shortageBegan = .now
        reporter.log(.error, "\(call): \(error); clients wait until it can be had again")
      }
      accepting.scheduleRetry()
    }
  }

  /// Pauses as long as admission says that clients wait.
  mutating func pauseAccepting(_ wait: Admission.Wait) {
    switch wait {
    case .atCapacity: pauseAccepting(.full)
    case .until(let time):
      pauseAccepting(.rate)
      accepting.retryTime = time
    }
  }

  /// Goes on when the reason for the pause may be over.
  mutating func resumeIfPossible() {
    guard drain == nil, let pause = accepting.pause else { return }
    dropHeldClientIfOver()
    switch pause {
    case .full where table.isFull:
      // A service that stays full is one episode, however long it lasts.
      return refusals.goesOn(for: .maxConnections, now: .now)
    case .full: break
    case .rate, .shortage:
      guard let retry = accepting.retryTime, retry.hasPassed else { return }
    }
    accepting.resume()
    if let held = accepting.held.take() {
      start(held)
      if accepting.pause != nil { return }
    }
    watchSockets(true)
  }

  /// Turns the client away that waits for a process, if it is gone or has waited for as long as it may be silent, or
  /// stay at all.
  private mutating func dropHeldClientIfOver() {
    let since: Deadline
    let isAbandoned: Bool
    switch accepting.held {
    case nil: return
    case .some(let held):
      since = held.since ?? .never
      isAbandoned = held.isAbandoned
    }
    if isAbandoned { return dropHeldClient() }
    let limits = [options.firstByteTimeout ?? options.idleTimeout, options.maxDuration].compactMap { $0 }
    guard let limit = limits.min(), since.duration(to: .now) >= limit else { return }
    dropHeldClient()
    reporter.log(
      .notice, "a client was turned away: no process could be had for it in \(DurationText.render(limit))"
    )
  }

  /// Closes the connection of the client that waits for a process, if there is one.
  mutating func dropHeldClient() { accepting.held = nil }

  /// A connection has got its process: if there was a shortage, it is over.
  mutating func endShortage() {
    guard let began = accepting.shortageBegan else { return }
    let milliseconds = began.duration(to: .now).nanoseconds / 1_000_000
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
    do throws(CallFailure) {
      if isWatching { try poller.add(number, .readable, token: token) } else { try poller.remove(number) }
    } catch { reporter.log(.error, "\(error)") }
  }
}
