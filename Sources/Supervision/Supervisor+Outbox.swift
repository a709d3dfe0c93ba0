import ControlProtocol
import Logging
@_spi(Begat) import UnixCore

/// Telling listeners something without ever waiting for them.
extension Supervisor {
  /// Sends a message to a listener, as soon as its channel has room for it.
  ///
  /// - Parameter file: is passed with it.
  /// - Throws: where the listener can never be told, or too many messages wait for it.
  func tell(_ generation: Generation, _ message: SupervisorMessage, passing file: SharedFile? = nil)
    throws(SystemCallError)
  {
    try generation.outbox.send(message, passing: file, on: generation.channel)
    if !generation.outbox.isEmpty { awaitRoom(generation) }
  }

  /// Watches for room in a listener's channel too.
  func awaitRoom(_ generation: Generation) {
    guard let token = generation.token else { return }
    try? poll.change(token, [.readable, .writable])
  }

  /// The channel of a listener has room.
  func sendWaiting(to generation: Generation, of service: ManagedService) {
    generation.outbox.flush(on: generation.channel)
    guard generation.outbox.isEmpty, let token = generation.token else { return }
    try? poll.change(token, .readable)
    if service.current === generation { sendPendingClear(to: service) }
  }

  /// Sends SIGTERM to listeners that have not read for so long that a retirement cannot reach them: it ends them without
  /// their emptying the sockets, and one that is stopped obeys it when it goes on.
  func endLateRetirements() {
    let now = SystemClock.monotonic()
    for service in allServices {
      for generation in service.generations where generation.outbox.retirementDeadline ?? .max <= now {
        generation.outbox.removeAll()
        logger.warning(
          "listener \(generation.process) does not read; retired by a signal, without its waiting clients",
          metadata: service.logMetadata)
        do throws(SystemCallError) { try generation.send(.terminate) } catch {
          logger.error("\(error.withAdvice)", metadata: service.logMetadata)
        }
      }
    }
  }
}
