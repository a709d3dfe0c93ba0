import Admission
import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Whether a listener accepts, and if not, why and until when.
struct AcceptState: ~Copyable {
  enum Pause {
    /// As many connections as allowed are open: accepting resumes when one ends.
    case full
    /// As many clients as allowed have come: accepting resumes at `retryTime`.
    case rate
    /// Descriptors, memory or processes are used up: accepting is tried again soon.
    case shortage(String, ErrorCode)
    /// A socket does not listen any more: it is looked at again at `retryTime`.
    case brokenSocket
  }

  var pause: Pause?
  /// Whether the listening sockets are in the poller's set.
  var isWatching = false
  /// The socket that is looked at first: the one after the last that had its turn.  In a full service one socket's
  /// clients would otherwise get each place that becomes free.
  var firstSocket = 0
  /// Whether the datagram sockets are: answers to datagrams never wait.
  var isWatchingDatagrams = false
  /// When something is tried again; nil when nothing is.
  var retryTime: Deadline?
  /// A client that was admitted and waits for a process.
  var held: AdmittedClient?
  /// When the current shortage began. It is logged once at its start and once at its end, however many retries fail.
  var shortageBegan: Deadline?
  /// Until when begatd may say that a socket which does not listen is given up; nil while all of them listen.
  var repairDeadline: Deadline?
  private var delay = AcceptState.shortestDelay

  private static let shortestDelay: Duration = .milliseconds(10)
  /// The longest time that a client still waits after the end of a shortage.
  private static let longestDelay: Duration = .milliseconds(150)

  mutating func scheduleRetry() {
    retryTime = Deadline(after: delay)
    delay = min(delay * 2, AcceptState.longestDelay)
  }

  mutating func resume() {
    pause = nil
    retryTime = nil
  }

  /// Notes the end of the shortage.
  mutating func recover() {
    delay = AcceptState.shortestDelay
    shortageBegan = nil
  }
}

extension Listener {
  /// Takes the listening sockets out of the poller's set, so that clients in the backlog cause no work.
  mutating func pauseAccepting(_ pause: AcceptState.Pause) {
    spares.noteTrouble()
    watchSockets(false)
    accepting.pause = pause
    switch pause {
    case .full:
      let now = Deadline.now
      say(refusals.waiting(for: .maxConnections, now: now), .clientsWait)
      scheduleLookAtOthers(now)
    case .brokenSocket: accepting.retryTime = Deadline(after: .milliseconds(50))
    case .rate: say(refusals.waiting(for: .rate, now: .now), .clientsWait)
    case .shortage(let call, let error):
      if accepting.shortageBegan == nil {
        accepting.shortageBegan = .now
        reporter.log(.error, "\(call): \(error); clients wait until it can be had again")
      }
      accepting.scheduleRetry()
    }
  }

  /// Pauses for as long as admission lets clients wait.
  mutating func pauseAccepting(_ wait: Admission.Wait) {
    switch wait {
    case .atCapacity: pauseAccepting(.full)
    case .until(let time):
      pauseAccepting(.rate)
      accepting.retryTime = time
    }
  }

  /// Connections of a listener that drains count too, and nothing announces their ends.
  private mutating func scheduleLookAtOthers(_ now: Deadline) {
    accepting.retryTime = admission.othersActive > 0 ? now.advanced(by: .milliseconds(50)) : nil
  }

  /// Whether as many connections as allowed are open, with those of listeners that drain.
  private var isFull: Bool { table.isFull || admission.active >= admission.limits.maxConnections }

  /// Resumes accepting when the reason for the pause may have disappeared.
  mutating func resumeIfPossible() {
    guard let pause = accepting.pause else { return }
    dropHeldClientIfOver()
    switch pause {
    case .full where isFull:
      // A service that stays full is one episode, however long that takes.
      let now = Deadline.now
      refusals.goesOn(for: .maxConnections, now: now)
      return scheduleLookAtOthers(now)
    case .full: break
    case .rate, .shortage, .brokenSocket:
      guard let retry = accepting.retryTime, retry.hasPassed else { return }
    }
    accepting.resume()
    if let held = accepting.held.take() {
      start(held)
      if accepting.pause != nil { return }
    }
    admitReady()
    if accepting.pause != nil { return }
    watchSockets(true)
  }

  /// Closes the held client's connection if the client has gone or its time limit has passed.
  private mutating func dropHeldClientIfOver() {
    let since: Deadline
    let isAbandoned: Bool
    switch accepting.held {
    case nil: return
    case .some(let held):
      since = held.since ?? .never
      isAbandoned = held.connection.isAbandoned
    }
    if isAbandoned { return dropHeldClient(.clientClosed) }
    let limits = [options.firstByteTimeout ?? options.idleTimeout, options.maxDuration].compactMap { $0 }
    guard let limit = limits.min(), since.duration(to: .now) >= limit else { return }
    dropHeldClient(.failed)
    reporter.log(
      .notice, "a client was turned away: no process could be had for it in \(DurationText.render(limit))"
    )
  }

  /// Closes the connection of the client that waits for a process, if there is one.
  mutating func dropHeldClient(_ outcome: Outcome) {
    guard accepting.held != nil else { return }
    accepting.held = nil
    endedUnserved(outcome)
  }

  /// Ends the shortage, if there was one: a connection has got its process.
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
    if offerKind.handsOver { return watchPlaces() }
    for (index, entry) in sockets.streams.enumerated() {
      watch(entry.socket.descriptor.number, isWatching, token: UInt64(index))
    }
  }

  /// Watches the sockets at which the listener answers datagrams, or stops doing so.
  mutating func watchDatagrams(_ isWatching: Bool) {
    guard isWatching != accepting.isWatchingDatagrams, datagramAnswers != nil else { return }
    accepting.isWatchingDatagrams = isWatching
    for (index, entry) in sockets.datagrams.enumerated() {
      watch(entry.socket.descriptor.number, isWatching, token: Token.datagrams + UInt64(index))
    }
  }

  mutating func watch(_ number: CInt, _ isWatching: Bool, token: UInt64) {
    do throws(SystemCallError) {
      if isWatching { try poller.add(number, .readable, token: token) } else { try poller.remove(number) }
    } catch { reporter.log(.error, "\(error)") }
  }
}
