import ControlProtocol
import Logging
@_spi(Begat) import UnixCore

extension Logger.Level {
  /// The number of syslog(3).
  var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}

/// "1 connection", "2 connections".
func counted(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }

/// The generation of a service that reports connections.
struct RecordSource {
  let service: String
  /// The addresses of its listening sockets, by their numbers in the listener.
  var sockets: [Int32: String]
  let journalFields: JournalRecordFields

  init(service: String, sockets: [Int32: String] = [:]) {
    self.service = service
    self.sockets = sockets
    journalFields = JournalRecordFields(service: service)
  }
}

/// The log of connections: many in one write, because thousands may end in a second.
protocol RecordLog: LogHandler, AnyObject {
  /// - Parameter records: in the order in which the connections began and ended.
  func log(_ records: [ConnectionRecord], of source: RecordSource)

  /// Logs a line that a connection's program has written.
  ///
  /// - Parameter line: its parts may be escaped already.
  /// - Parameter record: says which connection it is.
  func log(_ line: UntrustedBytes, of record: ConnectionRecord, _ source: RecordSource)

  /// How many messages could not be delivered, ever.
  var lostMessages: UInt64 { get }

  /// Counts messages that were taken and are lost nevertheless.
  func noteLoss(_ count: Int)
}

extension ConnectionRecord {
  var level: Logger.Level { isProblem ? .warning : .info }
}

/// The level of programs' lines.
let programLineLevel = Logger.Level.notice

/// The subject of a message, as metadata of swift-log.
enum LogKey {
  static let service = "service"
  static let kind = "kind"
}

extension Logger.Metadata {
  /// For a message of this kind about begatd itself.
  static func kind(_ kind: LogKind) -> Logger.Metadata { [LogKey.kind: .stringConvertible(KindText(kind: kind))] }

  /// A kind in the shape that metadata wants.
  private struct KindText: CustomStringConvertible, Sendable {
    let kind: LogKind
    var description: String { "\(kind.word)" }
  }

  fileprivate var kind: LogKind {
    if case .stringConvertible(let value as KindText) = self[LogKey.kind] { value.kind } else { .other }
  }
}

extension Logger.Metadata? {
  /// The service that a message is about; nil for one about begatd itself.
  var service: String? { self?[LogKey.service].map { "\($0)" } }

  var kind: LogKind { self?.kind ?? .other }

  /// `hello: ` for a message about the service hello; empty for one about begatd itself.
  var prefix: String { service.map { "\($0): " } ?? "" }
}
