import ControlProtocol
import Logging

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

/// The log of ended connections: many in one write, because thousands may end in a second.
protocol RecordLog: AnyObject {
  /// Messages and records that could not be written, since the start.
  var lostMessages: UInt64 { get }

  /// - Parameter records: in the order in which the connections ended.
  func log(_ records: [ConnectionRecord], of service: String)
}

extension ConnectionRecord {
  var level: Logger.Level { outcome.isProblem ? .warning : .info }
}

/// What a message is about, as metadata of swift-log.
enum LogKey {
  static let service = "service"
}

extension Logger.Metadata? {
  /// `hello: ` for a message about the service hello; empty for one about begatd itself.
  var prefix: String { self?[LogKey.service].map { "\($0): " } ?? "" }
}
