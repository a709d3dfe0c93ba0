import ControlProtocol
import Glibc
import Logging
@_spi(Begat) import UnixCore

/// Messages as lines on standard error.  Never waits for its reader: what cannot be written at once is dropped, and
/// counted in the next line that can.
final class StandardErrorLog: LogHandler, RecordLog, @unchecked Sendable {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  private let isReadByJournal: Bool
  private var dropped = 0
  private(set) var lostMessages: UInt64 = 0

  /// - Parameter isReadByJournal: then each line begins with its priority, and the journal knows the time.
  init(isReadByJournal: Bool) { self.isReadByJournal = isReadByJournal }

  func log(event: LogEvent) {
    write(head(event.level) + event.metadata.prefix + event.message.description + lost + "\n", messages: 1)
  }

  func log(_ records: [ConnectionRecord], of service: String) {
    withUnsafeTemporaryAllocation(byteCount: StandardErrorLog.atomicSize, alignment: 1) { room in
      var lines = ByteWriter(room)
      var count = 0
      for record in records where record.level >= logLevel {
        if lines.count > StandardErrorLog.atomicSize - StandardErrorLog.longestLine {
          write(lines, messages: count)
          lines = ByteWriter(room)
          count = 0
        }
        lines.append(head(record.level))
        lines.append(service)
        lines.append(": ")
        record.write(to: &lines)
        lines.append("\n")
        count += 1
      }
      write(lines, messages: count)
    }
  }

  /// What a pipe takes at once when it takes anything: `PIPE_BUF`.
  private static let atomicSize = 4096
  private static let longestLine = 512

  private func write(_ lines: ByteWriter, messages: Int) {
    guard messages > 0 else { return }
    if dropped > 0 { write(head(.warning) + lost + "\n", messages: 0) }
    write(String(decoding: lines.bytes, as: UTF8.self), messages: messages)
  }

  private func head(_ level: Logger.Level) -> String {
    isReadByJournal ? "<\(level.priority)>" : "\(time()) begatd: "
  }

  private var lost: String { dropped > 0 ? " (\(counted(dropped, "message", "messages")) lost before)" : "" }

  /// Whether the last text was cut: then the next begins on a line of its own.
  private var isCut = false

  private func write(_ text: String, messages: Int) {
    var text = isCut ? "\n" + text : text
    let count = text.withUTF8 { (try? StandardError.tryWrite(UnsafeRawBufferPointer($0))) ?? 0 }
    if count == text.utf8.count {
      dropped = 0
      isCut = false
    } else {
      dropped += messages
      lostMessages += UInt64(messages)
      if count > 0 { isCut = true }
    }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  private var second: Int64 = -1
  private var timeOfSecond = ""

  /// Local time as in RFC 3339: `2026-02-07 06:28:16+01:00`.
  private func time() -> String {
    let now = SystemClock.wall() / 1_000_000_000
    guard now != second else { return timeOfSecond }
    var native = time_t(now)
    var parts = tm()
    // The machine's zone may have changed; localtime_r(3) alone does not look.
    tzset()
    localtime_r(&native, &parts)
    second = now
    timeOfSecond = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { room in
      strftime(room.baseAddress!, room.count, "%Y-%m-%d %H:%M:%S%z", &parts)
      return String(cString: room.baseAddress!)
    }
    // strftime(3) has no colon there.
    timeOfSecond.insert(":", at: timeOfSecond.index(timeOfSecond.endIndex, offsetBy: -2))
    return timeOfSecond
  }
}
