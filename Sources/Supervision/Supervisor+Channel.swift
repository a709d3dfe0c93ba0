import ControlProtocol
import Logging
import Settings
@_spi(Begat) import UnixCore

/// What listeners report.
extension Supervisor {
  /// Reads what a listener has to say.
  ///
  /// - Parameter limit: in messages; more than a channel holds, so that all that was there before is read, and no more,
  ///   as others have something to say too.
  func readChannel(of service: ManagedService, _ generation: Generation, atMost limit: Int = 64) {
    withUnsafeTemporaryAllocation(byteCount: ListenerChannel.largestMessage, alignment: 8) { room in
      for _ in 0..<limit {
        guard let count = try? generation.channel.receive(into: room, waiting: false) else { return }
        guard count > 0 else { return channelClosed(generation, of: service) }
        let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
        guard let message = ListenerChannel.listenerMessage(bytes) else {
          // A listener gone wrong: nothing it says is worth a crash.
          logger.warning("unreadable message ignored", metadata: service.logMetadata)
          continue
        }
        receive(message, from: service, generation)
      }
    }
  }

  private func receive(_ message: ListenerMessage, from service: ManagedService, _ generation: Generation) {
    switch message {
    case .ready: becameReady(generation, of: service)
    case .alive(let number): generation.inquiry.answer(number)
    case .connections(let records):
      generation.recordsReceived += UInt64(records.count)
      recordLog.log(records, of: generation.source)
    case .program(let record, let line): recordLog.log(line, of: record, generation.source)
    case .retired: hasRetired(generation, of: service)
    case .ended(let number, let count): hasEnded(number, count: count, by: generation)
    case .foreign(let records): noteForeign(records, of: generation, service)
    case .log(let severity, let kind, let text):
      let line = text.escaped(doublingBackslashes: false)
      logger.log(level: severity.level, "\(line)", metadata: service.logMetadata(kind))
    }
  }

  /// Counts records that begatd cannot read.
  private func noteForeign(_ records: Int, of generation: Generation, _ service: ManagedService) {
    guard records > 0 else { return }
    generation.recordsReceived += UInt64(records)
    recordLog.noteLoss(records)
    guard !generation.sendsForeignRecords else { return }
    generation.sendsForeignRecords = true
    logger.notice(
      "listener \(generation.process) is of another version: its connections go on, and are missing in this log",
      metadata: service.logMetadata)
  }

  /// There is nothing more to read.  The end of a child comes as a signal.
  private func channelClosed(_ generation: Generation, of service: ManagedService) {
    guard let token = generation.token else { return }
    poll.remove(token)
    generation.token = nil
    if !generation.isChild { leftBehindEnded(generation, of: service) }
  }

  /// Reads what a listener says from now on, and sends what waits for it.
  func watch(_ generation: Generation, of service: ManagedService) throws(SystemCallError) {
    generation.token = try poll.add(generation.channel.number, .readable) { [unowned self] ready in
      readChannel(of: service, generation)
      if ready.contains(.writable) { sendWaiting(to: generation, of: service) }
    }
  }
}

extension ManagedService {
  /// For messages about it.
  var logMetadata: Logger.Metadata { [LogKey.service: "\(name)"] }

  /// For messages of a kind about it.
  func logMetadata(_ kind: LogKind) -> Logger.Metadata {
    kind == .other ? logMetadata : logMetadata.merging(.kind(kind)) { $1 }
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
