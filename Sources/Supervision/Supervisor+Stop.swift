import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// The orderly stop.
extension Supervisor {
  /// Accepts no more clients and lets open connections end; asked again, it ends them immediately.
  func stop() {
    let isFirst = stopDeadline == nil
    if isFirst {
      manager.stopping("open connections may go on for \(DurationText.render(drainTimeout))")
      logger.info("stopping")
      // Listeners keep the drain's time themselves, and give programs five seconds more; this is for one that does not.
      stopDeadline = SystemClock.monotonic() + drainTimeout.nanoseconds + 8_000_000_000
    }
    // What the listeners do not end immediately, because they are stopped or their programs ignore it, is killed.
    if !isFirst { stopDeadline = min(stopDeadline ?? .max, SystemClock.monotonic() + Self.patienceAfterSecondSignal) }
    for service in allServices {
      // One that drains already would take a first signal for the second.
      for generation in service.generations where !isFirst || generation.state < .retiring {
        if !generation.isKilled { try? Signal.terminate.send(to: generation.process) }
      }
      if isFirst {
        service.restartTime = nil
        service.waitsForRoom = false
        service.closeSockets()
      }
    }
  }

  private static let patienceAfterSecondSignal: Int64 = 700_000_000

  func killListeners() {
    for service in allServices {
      for generation in service.generations where !generation.isKilled {
        logger.error("listener \(generation.process) does not stop; killed", metadata: service.logMetadata)
        generation.kill()
      }
    }
    stopDeadline = SystemClock.monotonic() + 1_000_000_000
  }
}
