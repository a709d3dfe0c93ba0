import ControlProtocol
import Logging
@_spi(Begat) import UnixCore

/// Messages as lines of text.  What the output does not take immediately is dropped, and counted in a line of its own
/// before the next one that it takes.
final class LineLog: RecordLog, @unchecked Sendable {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  private let output: any LineOutput
  private var format: LineFormat
  /// Messages that are lost and not reported yet.
  private var dropped = 0
  private(set) var lostMessages: UInt64 = 0

  init(_ output: any LineOutput, _ format: LineFormat) {
    self.output = output
    self.format = format
  }

  /// A record is never longer as a line.
  private static let longestRecord = 1024

  func log(event: LogEvent) {
    let text = event.message.description
    let message = LineFormat.Message(event.level, event.metadata.kind, event.metadata.service)
    withRoom(text.utf8.count * 6 + LineLog.longestRecord) { lines in
      format.write(message, text, to: &lines)
      write(lines, messages: 1)
    }
  }

  func log(_ line: UntrustedBytes, of record: ConnectionRecord, _ source: RecordSource) {
    guard programLineLevel >= logLevel else { return }
    let text = line.escaped(doublingBackslashes: false)
    withRoom(text.utf8.count * 6 + LineLog.longestRecord) { lines in
      format.write(programLine: text, of: record, source, to: &lines)
      write(lines, messages: 1)
    }
  }

  func log(_ records: [ConnectionRecord], of source: RecordSource) {
    withRoom(output.atomicSize) { lines in
      let end = lines.count + output.atomicSize - LineLog.longestRecord - LineFormat.longestLoss
      let start = lines
      var count = 0
      format.readClock()
      for record in records where record.level >= logLevel {
        if lines.count > end {
          write(lines, messages: count)
          // From now on it is known which lines it takes and which are lost.
          lines = start
          count = 0
        }
        format.write(record, source, to: &lines)
        count += 1
      }
      write(lines, messages: count)
    }
  }

  /// Room for lines, with that for a line about lost messages before them.
  private func withRoom(_ size: Int, _ body: (inout ByteWriter) -> Void) {
    withUnsafeTemporaryAllocation(byteCount: size + LineFormat.longestLoss, alignment: 1) { room in
      var lines = ByteWriter(room)
      body(&lines)
    }
  }

  private func write(_ lines: ByteWriter, messages: Int) {
    guard messages > 0 else { return }
    guard dropped > 0 else { return note(output.write(lines.bytes), messages) }
    // The line about what is lost and those after it are taken together or not at all.
    withUnsafeTemporaryAllocation(byteCount: LineFormat.longestLoss + lines.count, alignment: 1) { room in
      var all = ByteWriter(room)
      format.write(lost: dropped, to: &all)
      all.append(lines.bytes)
      note(output.write(all.bytes), messages)
    }
  }

  private func note(_ isWritten: Bool, _ messages: Int) {
    if isWritten {
      dropped = 0
    } else {
      dropped += messages
      lostMessages &+= UInt64(messages)
    }
  }

  func noteLoss(_ count: Int) {
    dropped += count
    lostMessages &+= UInt64(count)
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
}
