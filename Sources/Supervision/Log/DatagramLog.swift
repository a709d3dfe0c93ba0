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
  /// Records that are sent together.
  private var batch = DatagramBatch(size: 65_536, largest: longestRecord)

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
      if batch.isFull { deliverBatch() }
      batch.append { entry in
        switch style {
        case .journal: JournalFields.write(record, source, to: &entry)
        case .syslog:
          writeSyslogHead(record.level, source.service, to: &entry)
          record.write(to: &entry, at: source.sockets[record.socket])
        }
      }
    }
    deliverBatch()
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
      if trySend({ (socket) throws(SystemCallError) in try socket.send(message.bytes, waiting: false) }) == nil {
        noteLoss(1)
      }
    }
  }

  /// How long records that are sent together wait for a daemon that takes one after the other: without systemd, a queue
  /// has room for ten.
  private static let patience: Duration = .milliseconds(5)

  /// Sends the records that were gathered.
  private func deliverBatch() {
    guard batch.count > 0 else { return }
    reportLoss()
    var sent = 0
    var sentBeforeWait = 0
    var deadline: Deadline?
    while sent < batch.count {
      let start = sent
      if let count = trySend({ (socket) throws(SystemCallError) in try batch.send(from: start, on: socket) }) {
        sent += count
        continue
      }
      // One that has taken nothing since then is not waited for.
      let limit = deadline ?? Deadline(after: DatagramLog.patience)
      guard sent > sentBeforeWait, awaitRoom(until: limit) else {
        noteLoss(batch.count - sent)
        break
      }
      deadline = limit
      sentBeforeWait = sent
    }
    batch.removeAll()
  }

  private func awaitRoom(until deadline: Deadline) -> Bool {
    switch socket {
    case .some(let socket): socket.wait(for: .writable, until: deadline)
    case nil: false
    }
  }

  /// Sends something; nil if it was not taken.
  ///
  /// A daemon that was started anew has another socket: connects again, once.  One that is only slow has the same.
  private func trySend(_ send: (borrowing Descriptor) throws(SystemCallError) -> Int) -> Int? {
    var hasReconnected = false
    while true {
      let failure: ErrorCode
      switch socket {
      case .some(let socket):
        do throws(SystemCallError) { return try send(socket) } catch { failure = error.code }
      case nil: failure = .socketNotConnected
      }
      guard !hasReconnected, DatagramLog.meansGone.contains(failure),
        let fresh = try? DatagramLog.connect(to: address)
      else { return nil }
      socket = consume fresh
      hasReconnected = true
    }
  }

  private static let meansGone: Set<ErrorCode> = [
    .connectionRefused, .connectionReset, .noSuchFileOrDirectory, ErrorCode.socketNotConnected,
  ]

  func noteLoss(_ count: Int) {
    dropped += count
    lostMessages &+= UInt64(count)
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
}
