import Glibc
import Logging
import UnixIPC

/// Messages as lines on standard error.  Never waits for its reader: what cannot be written at once is dropped, and
/// counted in the next line that can.
final class StandardErrorLog: LogHandler, @unchecked Sendable {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  private let isReadByJournal: Bool
  private var dropped = 0

  /// - Parameter isReadByJournal: then each line begins with its priority, and the journal knows the time.
  init(isReadByJournal: Bool) { self.isReadByJournal = isReadByJournal }

  func log(event: LogEvent) {
    let text = event.metadata.prefix + event.message.description
    let head = isReadByJournal ? "<\(event.level.priority)>" : "\(StandardErrorLog.time()) begatd: "
    let lost = dropped > 0 ? " (\(dropped) messages were lost before)" : ""
    do throws(Errno) {
      try StandardError.writeAtOnce("\(head)\(text)\(lost)\n")
      dropped = 0
    } catch { dropped += 1 }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Local time as in RFC 3339, without its zone: `2026-02-07 06:28:16`.
  private static func time() -> String {
    var now = time_t(Clock.wall() / 1_000_000_000)
    var parts = tm()
    localtime_r(&now, &parts)
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { room in
      strftime(room.baseAddress!, room.count, "%Y-%m-%d %H:%M:%S", &parts)
      return String(cString: room.baseAddress!)
    }
  }
}
