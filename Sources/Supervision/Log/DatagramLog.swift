import ControlProtocol
import Glibc
import Logging
@_spi(Begat) import UnixCore

/// Messages as datagrams to a log daemon: structured ones to the journal, plain ones to syslog.
///
/// libsystemd's and the C library's own functions wait while the daemon's queue is full; here what cannot be sent at
/// once is dropped and counted, because a log must not hold up the sockets.
///
/// Source: systemd.journal-fields(7), Native Journal Protocol of systemd; syslog(3), RFC 3164.
final class DatagramLog: LogHandler, RecordLog, @unchecked Sendable {
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

  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  private let style: Style
  private var socket: Descriptor?
  private var dropped = 0
  private(set) var lostMessages: UInt64 = 0

  /// - Throws: when no daemon listens at its address.
  init(_ style: Style) throws(SystemCallError) {
    self.style = style
    socket = try DatagramLog.connect(style)
  }

  private static func connect(_ style: Style) throws(SystemCallError) -> Descriptor {
    let socket = try Descriptor.socket(family: .unix, kind: .datagram)
    try ClientSocket.connect(socket, to: style.address)
    return socket
  }

  func log(event: LogEvent) {
    let service = event.metadata?[LogKey.service].map { "\($0)" }
    write(event.metadata.prefix + event.message.description, event.level, service: service)
  }

  func log(_ records: [ConnectionRecord], of service: String) {
    for record in records where record.level >= logLevel {
      write("\(service): \(record)", record.level, service: service, fields: DatagramLog.fields(record))
    }
  }

  private func write(_ message: String, _ level: Logger.Level, service: String?, fields: String = "") {
    let text = message + (dropped > 0 ? " (\(counted(dropped, "message", "messages")) lost before)" : "")
    let datagram =
      switch style {
      case .journal: journalFields(text, level, service) + fields
      case .syslog: "<\(24 + level.priority)>begatd[\(getpid())]: \(text)"  // 24: facility daemon
      }
    if send(datagram) {
      dropped = 0
    } else {
      dropped += 1
      lostMessages += 1
    }
  }

  /// One field a line; no value has a newline, because what peers send is escaped before.
  private func journalFields(_ text: String, _ level: Logger.Level, _ service: String?) -> String {
    let fields = "MESSAGE=\(text)\nPRIORITY=\(level.priority)\nSYSLOG_IDENTIFIER=begatd\n"
    return fields + (service.map { "BEGAT_SERVICE=\($0)\n" } ?? "")
  }

  private static func fields(_ record: ConnectionRecord) -> String {
    let (seconds, attoseconds) = record.duration.components
    var fields = """
      BEGAT_PEER=\(record.peerText)
      BEGAT_PROCESS=\(record.process)
      BEGAT_DURATION_USEC=\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
      BEGAT_OUTCOME=\(record.outcome)

      """
    // Unknown for programs that own the connection.
    if let received = record.received { fields += "BEGAT_RECEIVED=\(received)\n" }
    if let sent = record.sent { fields += "BEGAT_SENT=\(sent)\n" }
    return fields
  }

  /// A daemon that was started anew has another socket: connect again, once.  One that is only slow has the same.
  private func send(_ message: String) -> Bool {
    guard let failure = trySend(message) else { return true }
    guard DatagramLog.meansGone.contains(failure), let fresh = try? DatagramLog.connect(style) else { return false }
    socket = consume fresh
    return trySend(message) == nil
  }

  private static let meansGone: Set<ErrorCode> = [
    .connectionRefused, .connectionReset, .noSuchFileOrDirectory, ErrorCode.socketNotConnected,
  ]

  private func trySend(_ message: String) -> ErrorCode? {
    var message = message
    return message.withUTF8 { bytes in
      switch socket {
      case .some(let socket):
        do throws(SystemCallError) {
          _ = try socket.send(UnsafeRawBufferPointer(bytes), waiting: false)
          return nil
        } catch { return error.code }
      case nil: return ErrorCode.socketNotConnected
      }
    }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
}
