import ControlProtocol
import Logging
@_spi(Begat) import UnixCore

/// What listeners report.
extension Supervisor {
  /// Reads what a listener has to say.
  ///
  /// - Parameter limit: in messages; more than a channel holds, so that all that was there before is read, and no more,
  ///   as others have something to say too.
  func readChannel(of service: ManagedService, atMost limit: Int = 64) {
    guard let listener = service.listener else { return }
    withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
      for _ in 0..<limit {
        guard let count = try? listener.channel.receive(into: room, waiting: false) else { return }
        guard count > 0 else { return channelClosed(service, listener) }
        let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
        guard let message = ListenerChannel.listenerMessage(bytes) else {
          // A listener gone wrong, or another version: nothing it says is worth a crash.
          logger.warning("unreadable message ignored", metadata: [LogKey.service: "\(service.name)"])
          continue
        }
        receive(message, from: service, listener)
      }
    }
  }

  private func receive(_ message: ListenerMessage, from service: ManagedService, _ listener: ListenerProcess) {
    switch message {
    case .ready:
      guard listener.readySince == nil else { return }
      listener.readySince = SystemClock.monotonic()
      // A new channel has room.
      try? ListenerChannel.send(.begin(clearing: 0), on: listener.channel)
      let failures = service.startRetry.succeeded()
      if failures > 0 {
        logger.notice(
          "listener started, after \(failures) failed \(failures == 1 ? "attempt" : "attempts")",
          metadata: [LogKey.service: "\(service.name)"])
      }
      if isStarted { manager.status(statusText) } else { checkReadiness() }
    case .alive(let number): listener.inquiry.answer(number)
    case .connections(let records): recordLog.log(service.naming(records), of: service.name)
    case .retired, .ended: break
    case .log(let severity, let text):
      let line = text.escaped(doublingBackslashes: false)
      logger.log(level: severity.level, "\(line)", metadata: [LogKey.service: "\(service.name)"])
    }
  }

  /// Its end comes as a signal; until then there is nothing more to read.
  private func channelClosed(_ service: ManagedService, _ listener: ListenerProcess) {
    try? poller.remove(listener.channel.number)
  }
}

extension Severity {
  var level: Logger.Level {
    switch self {
    case .error: .error
    case .warning: .warning
    case .notice: .notice
    case .info: .info
    case .debug: .debug
    }
  }
}
