import ControlProtocol
import Logging
import UnixIPC

/// What listeners report.
extension Supervisor {
  /// Reads all that a listener has to say, at most 64 messages: others have something to say too.
  func readChannel(of service: ManagedService) {
    guard let listener = service.listener else { return }
    withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
      for _ in 0..<64 {
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
      listener.readySince = Clock.monotonic()
      if isStarted { manager.status(statusText) } else { checkReadiness() }
    case .alive(let number): listener.lastAnswer = number
    case .connections(let records): recordLog.log(records, of: service.name)
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
