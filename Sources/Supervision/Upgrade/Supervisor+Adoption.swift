import Control
import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// An upgrade that this program completes: its listeners take the places of those before.
struct UpgradeCompletion {
  /// The version of the program before.
  let version: String
  /// How many listeners are to be replaced.
  var listeners = 0
  let reply: ControlReply?
}

/// Going on where the program before has stopped, in the same process.
extension Supervisor {
  func goOn(after adoption: Adoption) {
    let former = adoption.succession
    let reply = adoption.reply(of: control)
    controlFacts.startTime = former.startTime
    controlFacts.reloads.succeeded += former.reloads
    controlFacts.reloads.refused += former.refusedReloads
    keptDrains = Set(former.keptDrains)
    adoption.finish()
    // The manager has waited for as long as both programs have taken.
    manager.isAlive()
    // Those that have ended meanwhile.
    reapChildren()
    if resolver != nil { startResolver() }
    for service in leaving {
      guard let current = service.current else { continue }
      retire(current, of: service, Retirement(closesSockets: true, drainTimeout: drainTimeout))
    }
    if let refusal = adoption.takeover.refusal {
      return goOnUnchanged(refusal, reply)
    }
    completeUpgrade(from: former.version, reply)
  }

  /// The newer program could not go on.
  private func goOnUnchanged(_ refusal: String, _ reply: ControlReply?) {
    // The listeners read a table of bans that the first program wrote and this one cannot.
    for service in services where !service.drain.isClosed { service.restartTime = 0 }
    startWhatIsDue()
    manager.ready(statusText)
    let reason = "the new program could not go on: \(escaped(refusal.utf8, doublingBackslashes: false))"
    logger.error("upgrade failed: \(reason); begatd \(BegatVersion.text) goes on")
    reply?.send(.failure(ControlFailure("\(reason); begatd \(BegatVersion.text) goes on")))
  }

  private func completeUpgrade(from version: String, _ reply: ControlReply?) {
    reloads.queue.ask(.signal)
    let now = SystemClock.monotonic()
    reloads.queue.start(at: now)
    reloads.startTime = now
    reloads.report = ReloadReport(isDryRun: false, unchanged: 0)
    reloads.failures = []
    for service in services where !service.drain.isClosed { wantListener(of: service) }
    reloads.upgrade = UpgradeCompletion(version: version, listeners: reloads.awaited.count, reply: reply)
    startWhatIsDue()
    finishReloadIfDone()
  }

  /// Every new listener serves, or could not be started.
  func finishUpgrade(_ upgrade: UpgradeCompletion) {
    reloads.upgrade = nil
    _ = reloads.queue.finish()
    if !stopping.isOrdered { manager.ready(statusText) }
    let failures = reloads.failures
    let replaced = counted(upgrade.listeners - failures.count, "listener", "listeners")
    let active = allServices.reduce(0) { $0 + $1.active }
    let text =
      "upgraded from \(escaped(upgrade.version.utf8)) to \(BegatVersion.text); \(replaced) replaced, "
      + "\(counted(active, "connection goes", "connections go")) on"
    logger.log(level: failures.isEmpty ? .notice : .warning, "\(text)")
    for failure in failures { logger.warning("not started: \(failure)") }
    upgrade.reply?.send(.order(OrderReport(text, count: upgrade.listeners - failures.count, problems: failures)))
  }
}
