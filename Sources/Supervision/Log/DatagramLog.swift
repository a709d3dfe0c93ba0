import ControlProtocol
import Glibc
import Logging
@_spi(Begat) import UnixCore

/// Messages as datagrams to a log daemon: structured ones to the journal, plain ones to syslog.
///
/// libsystemd's and the C library's own functions wait while the daemon's queue is full; here what cannot be sent
/// immediately is dropped and counted, because a log must not hold up the sockets.
///
/// Source: systemd.journal-fields(7), Native Journal Protocol of systemd; syslog(3), RFC 3164.
final class DatagramLog: RecordLog, @unchecked Sendable {
  enum Style {
    case journal
    case syslog

    var address: SocketAddress {
      switch self {
      case .journal: .unixPath("/run/systemd/journal/socket")
      case .syslog: .unixPath("/dev/log")
      }
    }
  }

  /// The daemon's name for messages about it.
  var daemon: String {
    switch style {
    case .journal: "the journal"
    case .syslog: "syslog"
    }
  }

  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  private let style: Style
  private let address: SocketAddress
  private let process = UInt64(getpid())
  private var socket: Descriptor?
  /// Messages that are lost and not reported yet.
  private var dropped = 0
  private(set) var lostMessages: UInt64 = 0

  /// - Parameter address: of the daemon; nil for the usual one.
  /// - Throws: when no daemon listens there.
  init(_ style: Style, at address: SocketAddress? = nil) throws(SystemCallError) {
    self.style = style
    self.address = address ?? style.address
    socket = try DatagramLog.connect(to: self.address)
  }

  private static func connect(to address: SocketAddress) throws(SystemCallError) -> Descriptor {
    let socket = try Descriptor.socket(family: .unix, kind: .datagram)
    try ClientSocket.connect(socket, to: address)
    return socket
  }

  /// A record is never longer as a message.
  private static let longestRecord = 2048

  func log(event: LogEvent) {
    let text = event.message.description
    log(event.level, event.metadata.kind, event.metadata.service, text)
  }

  private func log(_ level: Logger.Level, _ kind: LogKind, _ service: String?, _ text: String) {
    reportLoss()
    deliver(size: text.utf8.count + DatagramLog.longestRecord) { entry in
      switch style {
      case .journal: JournalFields.write(level, kind, service, to: &entry) { $0.append(text) }
      case .syslog:
        writeSyslogHead(level, service, to: &entry)
        entry.append(text)
      }
    }
  }

  func log(_ line: UntrustedBytes, of record: ConnectionRecord, _ source: RecordSource) {
    guard programLineLevel >= logLevel else { return }
    let text = line.escaped(doublingBackslashes: false)
    reportLoss()
    deliver(size: text.utf8.count + DatagramLog.longestRecord) { entry in
      switch style {
      case .journal: JournalFields.write(programLine: text, of: record, source, to: &entry)
      case .syslog:
        writeSyslogHead(programLineLevel, source.service, to: &entry)
        record.writeHead(to: &entry, at: source.sockets[record.socket])
        entry.append("program: ")
        entry.append(text)
      }
    }
  }

  func log(_ records: [ConnectionRecord], of source: RecordSource) {
    for record in records where record.level >= logLevel {
      reportLoss()
      deliver(size: DatagramLog.longestRecord) { entry in
        switch style {
        case .journal: JournalFields.write(record, source, to: &entry)
        case .syslog:
          writeSyslogHead(record.level, source.service, to: &entry)
          record.write(to: &entry, at: source.sockets[record.socket])
        }
      }
    }
  }

  private func writeSyslogHead(_ level: Logger.Level, _ service: String?, to entry: inout ByteWriter) {
    entry.append("<")
    entry.append(decimal: UInt64(24 + level.priority))  // 24: facility daemon
    entry.append(">begatd[")
    entry.append(decimal: process)
    entry.append("]: ")
    guard let service else { return }
    entry.append(service)
    entry.append(": ")
  }

  /// Logs what is lost, as soon as there is room again.
  private func reportLoss() {
    guard dropped > 0 else { return }
    let count = dropped
    let lost = lostMessages
    dropped = 0
    log(.warning, .messagesLost, nil, LineFormat.lossText(count))
    // This message is repeated until it is taken, and is none of those that it counts.
    if dropped > 0 { (dropped, lostMessages) = (count, lost) }
  }

  private func deliver(size: Int, _ write: (inout ByteWriter) -> Void) {
    withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { room in
      var message = ByteWriter(room)
      write(&message)
      guard !send(message.bytes) else { return }
      dropped += 1
      lostMessages &+= 1
    }
  }

  /// A daemon that was started anew has another socket: connect again, once.  One that is only slow has the same.
  private func send(_ message: UnsafeRawBufferPointer) -> Bool {
    guard let failure = trySend(message) else { return true }
    guard DatagramLog.meansGone.contains(failure), let fresh = try? DatagramLog.connect(to: address) else {
      return false
    }
    socket = consume fresh
    return trySend(message) == nil
  }

  private static let meansGone: Set<ErrorCode> = [
    .connectionRefused, .connectionReset, .noSuchFileOrDirectory, ErrorCode.socketNotConnected,
  ]

  private func trySend(_ message: UnsafeRawBufferPointer) -> ErrorCode? {
    switch socket {
    case .some(let socket):
      do throws(SystemCallError) {
        _ = try socket.send(message, waiting: false)
        return nil
      } catch { return error.code }
    case nil: return ErrorCode.socketNotConnected
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
