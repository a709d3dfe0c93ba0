import ControlProtocol
import JSON
import Logging
@_spi(Begat) import UnixCore

/// Lines as JSON objects.  They are written without a value in between: there may be thousands a second.
///
/// Source: RFC 8259.
extension LineFormat {
  mutating func writeJSON(_ message: Message, _ text: String, to lines: inout ByteWriter) {
    begin(message.level, message.kind, message.service, to: &lines)
    lines.append(",\"message\":")
    JSONWriter.write(quoting: text, to: &lines)
    lines.append("}\n")
  }

  mutating func writeJSON(_ record: ConnectionRecord, _ source: RecordSource, to lines: inout ByteWriter) {
    begin(record.level, record.kind, source.service, to: &lines)
    let local = source.sockets[record.socket]
    writeConnection(record, local, to: &lines)
    if record.event == .ended {
      lines.append(",\"duration\":")
      let microseconds = record.microseconds
      lines.append(decimal: microseconds / 1_000_000)
      lines.append(".")
      lines.append(decimal: microseconds % 1_000_000, width: 6)
      // Unknown for programs that own the connection.
      if let received = record.received { lines.append(",\"received\":", received) }
      if let sent = record.sent { lines.append(",\"sent\":", sent) }
      lines.append(",\"outcome\":\"")
      lines.append(record.outcome.word)
      lines.append("\"")
      switch record.outcome {
      case .exited(let status): lines.append(",\"exit-status\":", UInt64(status))
      case .ended(let signal), .stopped(let signal), .crashed(let signal):
        lines.append(",\"signal\":\"")
        lines.append("\(signal)")
        lines.append("\"")
      case .complete, .clientClosed, .firstByteTimeout, .idleTimeout, .maxDuration, .failed: break
      }
      lines.append(",\"ended-by\":\"")
      lines.append(record.ender.word)
      lines.append("\"")
    }
    lines.append("}\n")
  }

  mutating func writeJSON(
    programLine text: String, of record: ConnectionRecord, _ source: RecordSource, to lines: inout ByteWriter
  ) {
    begin(programLineLevel, .programLine, source.service, to: &lines)
    writeConnection(record, source.sockets[record.socket], to: &lines)
    lines.append(",\"message\":")
    JSONWriter.write(quoting: text, to: &lines)
    lines.append("}\n")
  }

  private mutating func begin(
    _ level: Logger.Level, _ kind: LogKind, _ service: String?, to lines: inout ByteWriter
  ) {
    lines.append("{\"time\":\"")
    clock.write(instant, to: &lines)
    lines.append("\",\"level\":\"")
    lines.append(level.rawValue)
    lines.append("\",\"event\":\"")
    lines.append(kind.word)
    lines.append("\"")
    guard let service else { return }
    lines.append(",\"service\":\"")
    // Nothing in a service's name needs an escape.
    lines.append(service)
    lines.append("\"")
  }

  private func writeConnection(_ record: ConnectionRecord, _ local: String?, to lines: inout ByteWriter) {
    lines.append(",\"pid\":", UInt64(record.process.magnitude))
    let text = PeerText(record.addressForm)
    if record.addressForm != .none {
      lines.append(",\"peer\":")
      write(record.peer, user: record.user, at: local, text, to: &lines)
    }
    if let via = record.via {
      lines.append(",\"via\":")
      write(via, user: nil, at: local, text, to: &lines)
    }
    guard let local else { return }
    lines.append(",\"local\":")
    JSONWriter.write(quoting: local, to: &lines)
  }
}

extension LineFormat {
  private func write(
    _ address: SocketAddress?, user: UInt32?, at local: String?, _ form: PeerText, to lines: inout ByteWriter
  ) {
    if address?.isUnix ?? false {
      JSONWriter.write(quoting: form.text(address, user: user, at: local), to: &lines)
    } else {
      // Nothing in an Internet address needs an escape.
      lines.append("\"")
      form.write(address, user: user, to: &lines)
      lines.append("\"")
    }
  }
}

extension ByteWriter {
  fileprivate mutating func append(_ name: StaticString, _ number: UInt64) {
    append(name)
    append(decimal: number)
  }
}
