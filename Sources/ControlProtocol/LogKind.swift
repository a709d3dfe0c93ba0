/// The kind of event that a message is about.  Programs that read the log find a message by it, whatever its words are.
public enum LogKind: UInt8, Sendable, CaseIterable {
  /// Any other event.
  case other = 0
  case connectionOpened = 1
  case connectionEnded = 2
  /// A connection ended in a way that is a problem.
  case connectionFailed = 3
  /// A line that a program has written to standard error.
  case programLine = 4
  /// Clients are refused from now on.
  case clientsRefused = 5
  /// Clients wait in the backlog from now on.
  case clientsWait = 6
  /// The count of the clients that were refused, or had to wait, when that is over.
  case clientsCounted = 7
  /// The connections of a second that were too many for lines of their own.
  case connectionsCounted = 8
  /// Messages that could not be delivered.
  case messagesLost = 9
  /// A listener has ended, and its connections with it.
  case listenerEnded = 10
  /// Another configuration is in force.
  case reloaded = 11
  /// Another configuration was refused, and the one before goes on.
  case reloadRefused = 12
  /// begatd stops.
  case stopping = 13

  /// In structured logs: `connection-ended`.
  public var word: StaticString {
    switch self {
    case .other: "other"
    case .connectionOpened: "connection-opened"
    case .connectionEnded: "connection-ended"
    case .connectionFailed: "connection-failed"
    case .programLine: "program-line"
    case .clientsRefused: "clients-refused"
    case .clientsWait: "clients-wait"
    case .clientsCounted: "clients-counted"
    case .connectionsCounted: "connections-counted"
    case .messagesLost: "messages-lost"
    case .listenerEnded: "listener-ended"
    case .reloaded: "reloaded"
    case .reloadRefused: "reload-refused"
    case .stopping: "stopping"
    }
  }
}

extension ConnectionRecord {
  /// The kind of its message.
  public var kind: LogKind {
    switch event {
    case .opened: .connectionOpened
    case .ended: isProblem ? .connectionFailed : .connectionEnded
    }
  }
}
