import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// When listeners are asked whether they still turn.
struct Watch {
  private let interval: Int64
  private(set) var nextTime: Int64
  /// Whether begatd itself was stopped or starved since it last asked: then no listener is judged.
  private(set) var wasPaused = false

  private static let longestInterval: Int64 = 10_000_000_000
  /// Less time is too short for a listener on a busy machine, whatever the manager wants.
  private static let shortestInterval: Int64 = 150_000_000

  /// - Parameter managerInterval: within which the manager wants a sign of life; a quarter of it leaves time to end a
  ///   listener that missed two questions and to start another.
  init(managerInterval: Int64? = nil) {
    interval =
      managerInterval.map { max(min($0 / 4, Watch.longestInterval), Watch.shortestInterval) }
      ?? Watch.longestInterval
    nextTime = SystemClock.monotonic() + interval
  }

  var isDue: Bool { SystemClock.monotonic() >= nextTime }

  /// How much longer than planned a turn may take before begatd counts as paused.
  var tolerance: Int64 { min(interval / 2, 1_000_000_000) }

  mutating func notePause() { wasPaused = true }

  mutating func advance() {
    nextTime = SystemClock.monotonic() + interval
    wasPaused = false
  }
}

extension Supervisor {
  /// How long a listener may read its files before it is ready.
  static let startPatience: Int64 = 30_000_000_000

  /// Tells the manager that all is well if every process has answered the last question, ends those that have missed
  /// two, and asks again.
  ///
  /// Only questions count that were asked while begatd itself was running, and only after all that has come was read.
  func askListeners() {
    var allAnswered = true
    for service in allServices {
      for generation in service.generations {
        readChannel(of: service, generation)
        // One that is not ready may be reading its files, and has a deadline of its own; at a stop that deadline decides.
        guard generation.isReady else { continue }
        if !generation.inquiry.isAnswered { allAnswered = false }
        guard !watch.wasPaused, !generation.isKilled, stopDeadline == nil, generation.inquiry.judge() else { continue }
        end(generation, of: service, because: "does not answer")
      }
      sendPendingClear(to: service)
    }
    judgeResolver()
    if allAnswered { manager.isAlive() }
    watch.advance()
    for service in allServices {
      for generation in service.generations { generation.inquiry.ask(on: generation.channel) }
    }
    resolver?.ask()
  }

  /// Ends listeners that have not become ready in time.
  func endLateStarters() {
    guard stopDeadline == nil else { return }
    let now = SystemClock.monotonic()
    for service in allServices {
      guard let successor = service.successor, successor.isLate(now) else { continue }
      readChannel(of: service, successor)
      guard successor.isLate(now) else { continue }
      let limit = DurationText.render(.nanoseconds(Self.startPatience))
      end(successor, of: service, because: "was not ready within \(limit)")
    }
  }

  private func end(_ generation: Generation, of service: ManagedService, because fault: String) {
    guard !generation.isKilled else { return }
    kill(generation, of: service, because: (fault, "ended"))
  }

  /// Begatd was stopped, or had no processor: what was to happen meanwhile gets that time too.
  func notePause(_ duration: Int64) {
    watch.notePause()
    for service in allServices { service.successor?.startDeadline += duration }
  }
}
