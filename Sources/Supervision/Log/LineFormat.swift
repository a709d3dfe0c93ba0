import ControlProtocol
import Logging
@_spi(Begat) import UnixCore

/// The form of lines: `TIME begatd: SERVICE: TEXT`, or for a reader that knows the time, `<PRIORITY>SERVICE: TEXT`.
struct LineFormat {
  enum Style {
    case text
    /// The service manager reads the lines into its journal.
    case prioritized
    /// One JSON object a line.
    case json
  }

  /// The details of a message beside its text.
  struct Message {
    let level: Logger.Level
    let kind: LogKind
    let service: String?

    init(_ level: Logger.Level, _ kind: LogKind, _ service: String?) {
      self.level = level
      self.kind = kind
      self.service = service
    }
  }

  private let style: Style
  var clock: LogClock
  /// The time of lines that are written together.
  private(set) var instant: Int64 = 0

  init(_ style: Style) {
    self.style = style
    clock = LogClock(separator: style == .json ? "T" : " ")
  }

  /// A line about lost messages is never longer.
  static let longestLoss = 256

  /// Takes the time for the records that are written next.
  mutating func readClock() { instant = SystemClock.wall() }

  /// Appends a line with a text that has no line feed.
  mutating func write(_ message: Message, _ text: String, to lines: inout ByteWriter) {
    readClock()
    guard style != .json else { return writeJSON(message, text, to: &lines) }
    writeHead(message.level, message.service, to: &lines)
    lines.append(text)
    lines.append(UInt8(ascii: "\n"))
  }

  /// Appends a line about a connection.
  mutating func write(_ record: ConnectionRecord, _ source: RecordSource, to lines: inout ByteWriter) {
    guard style != .json else { return writeJSON(record, source, to: &lines) }
    writeHead(record.level, source.service, to: &lines)
    record.write(to: &lines, at: source.sockets[record.socket])
    lines.append(UInt8(ascii: "\n"))
  }

  /// Appends a line that a program has written.
  mutating func write(
    programLine text: String, of record: ConnectionRecord, _ source: RecordSource, to lines: inout ByteWriter
  ) {
    readClock()
    guard style != .json else { return writeJSON(programLine: text, of: record, source, to: &lines) }
    writeHead(programLineLevel, source.service, to: &lines)
    record.writeHead(to: &lines, at: source.sockets[record.socket])
    lines.append("program: ")
    lines.append(text)
    lines.append(UInt8(ascii: "\n"))
  }

  /// Appends a line about messages that were lost.
  mutating func write(lost count: Int, to lines: inout ByteWriter) {
    write(Message(.warning, .messagesLost, nil), LineFormat.lossText(count), to: &lines)
  }

  static func lossText(_ count: Int) -> String {
    "log: \(counted(count, "message", "messages")) lost, because the log was not read fast enough"
  }

  private mutating func writeHead(_ level: Logger.Level, _ service: String?, to lines: inout ByteWriter) {
    switch style {
    case .text:
      clock.write(instant, to: &lines)
      lines.append(" begatd: ")
    case .json: break
    case .prioritized:
      lines.append("<")
      lines.append(decimal: UInt64(level.priority))
      lines.append(">")
    }
    guard let service else { return }
    lines.append(service)
    lines.append(": ")
  }
}
