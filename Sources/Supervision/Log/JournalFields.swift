import ControlProtocol
import Logging
@_spi(Begat) import UnixCore

/// The fields of journal entries: one a line.  No value has a line feed, because what clients and programs send is escaped
/// before.
///
/// Source: systemd.journal-fields(7), Native Journal Protocol of systemd.
enum JournalFields {
  /// Appends those of every entry, with the text that `message` appends.
  static func write(
    _ level: Logger.Level, _ kind: LogKind, _ service: String?, to entry: inout ByteWriter,
    message: (inout ByteWriter) -> Void
  ) {
    entry.append("MESSAGE=")
    if let service {
      entry.append(service)
      entry.append(": ")
    }
    message(&entry)
    writeConstants(level, kind, service, to: &entry)
  }

  /// Appends what is the same in all entries of a level, kind and service, after the message.
  fileprivate static func writeConstants(
    _ level: Logger.Level, _ kind: LogKind, _ service: String?, to entry: inout ByteWriter
  ) {
    entry.append("\nPRIORITY=")
    entry.append(decimal: UInt64(level.priority))
    entry.append("\nSYSLOG_IDENTIFIER=begatd\nSYSLOG_FACILITY=3\n")
    if let number = kind.messageID {
      entry.append("MESSAGE_ID=")
      entry.append(number)
      entry.append(UInt8(ascii: "\n"))
    }
    if let service {
      entry.append("BEGAT_SERVICE=")
      entry.append(service)
      entry.append(UInt8(ascii: "\n"))
    }
  }

  /// Appends a connection's entry.
  static func write(_ record: ConnectionRecord, _ source: RecordSource, to entry: inout ByteWriter) {
    let local = source.sockets[record.socket]
    entry.append("MESSAGE=")
    entry.append(source.service)
    entry.append(": ")
    record.write(to: &entry, at: local)
    source.journalFields.write(record.kind, to: &entry)
    writeConnection(record, local, to: &entry)
    guard record.event == .ended else { return }
    write("BEGAT_DURATION_USEC", record.microseconds, to: &entry)
    // Unknown for programs that own the connection.
    if let received = record.received { write("BEGAT_RECEIVED", received, to: &entry) }
    if let sent = record.sent { write("BEGAT_SENT", sent, to: &entry) }
    entry.append("BEGAT_OUTCOME=")
    entry.append(record.outcome.word)
    switch record.outcome {
    case .exited(let status): write("\nBEGAT_EXIT_STATUS", UInt64(status), to: &entry)
    case .ended(let signal), .stopped(let signal), .crashed(let signal):
      entry.append("\nBEGAT_SIGNAL=")
      entry.append("\(signal)")
      entry.append(UInt8(ascii: "\n"))
    case .complete, .clientClosed, .firstByteTimeout, .idleTimeout, .maxDuration, .failed:
      entry.append(UInt8(ascii: "\n"))
    }
    entry.append("BEGAT_ENDED_BY=")
    entry.append(record.ender.word)
    entry.append(UInt8(ascii: "\n"))
  }

  /// Appends the entry of a program's line.
  static func write(
    programLine text: String, of record: ConnectionRecord, _ source: RecordSource, to entry: inout ByteWriter
  ) {
    let local = source.sockets[record.socket]
    write(programLineLevel, .programLine, source.service, to: &entry) { entry in
      record.writeHead(to: &entry, at: local)
      entry.append("program: ")
      entry.append(text)
    }
    writeConnection(record, local, to: &entry)
  }

  private static func writeConnection(_ record: ConnectionRecord, _ local: String?, to entry: inout ByteWriter) {
    if record.addressForm != .none {
      entry.append("BEGAT_PEER=")
      PeerText(record.addressForm).write(record.peer, user: record.user, at: local, to: &entry)
      entry.append(UInt8(ascii: "\n"))
    }
    if let via = record.via {
      entry.append("BEGAT_VIA=")
      PeerText(record.addressForm).write(via, at: local, to: &entry)
      entry.append(UInt8(ascii: "\n"))
    }
    if let local {
      entry.append("BEGAT_LOCAL=")
      entry.append(local)
      entry.append(UInt8(ascii: "\n"))
    }
    write("BEGAT_CONNECTION_PID", UInt64(record.process.magnitude), to: &entry)
  }

  private static func write(_ field: StaticString, _ number: UInt64, to entry: inout ByteWriter) {
    entry.append(field)
    entry.append(UInt8(ascii: "="))
    entry.append(decimal: number)
    entry.append(UInt8(ascii: "\n"))
  }
}

/// The fields that all records of a service have in common, made once: there may be thousands a second.
struct JournalRecordFields {
  private let opened: [UInt8]
  private let ended: [UInt8]
  private let failed: [UInt8]

  init(service: String) {
    func fields(_ level: Logger.Level, _ kind: LogKind) -> [UInt8] {
      withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { room in
        var text = ByteWriter(room)
        JournalFields.writeConstants(level, kind, service, to: &text)
        return Array(text.bytes)
      }
    }
    opened = fields(.info, .connectionOpened)
    ended = fields(.info, .connectionEnded)
    failed = fields(.warning, .connectionFailed)
  }

  /// Appends those of a record of this kind.
  func write(_ kind: LogKind, to entry: inout ByteWriter) {
    let fields =
      switch kind {
      case .connectionOpened: opened
      case .connectionFailed: failed
      default: ended
      }
    fields.withUnsafeBytes { entry.append($0) }
  }
}
