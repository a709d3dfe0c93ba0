/// The services that begat brings itself.
public enum BuiltIn: String, CaseIterable, Sendable {
  case hello
  case fortune
  case daytime
  case time
  case echo
  case discard
  case chargen
  case command

  /// Whether it is defined for datagrams too.
  public var answersDatagrams: Bool {
    switch self {
    case .hello, .command: false
    case .fortune, .daytime, .time, .echo, .discard, .chargen: true
    }
  }

  /// Whether it tells fortunes.
  public var tellsFortunes: Bool { self == .hello || self == .fortune || self == .command }

  public static var names: String { allCases.map(\.rawValue).joined(separator: " ") }
}

/// Which connections leave a line in the log.
public enum ConnectionLog: String, CaseIterable, Sendable {
  case connections
  /// Those only that ended by a fault of ours.
  case problems
  case none

  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
