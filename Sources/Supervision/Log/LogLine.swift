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

/// What a message is about, as metadata of swift-log.
enum LogKey {
  static let service = "service"
  /// A `ConnectionRecord`, which structured logs take apart.
  static let connection = "connection"
}

extension Logger.Metadata? {
  /// `hello: ` for a message about the service hello; empty for one about begatd itself.
  var prefix: String { self?[LogKey.service].map { "\($0): " } ?? "" }
}
