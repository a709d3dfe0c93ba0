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
  case status
  case haproxyAgent = "haproxy-agent"

  /// Whether it is defined for datagrams too.
  public var answersDatagrams: Bool {
    switch self {
    case .hello, .command, .status, .haproxyAgent: false
    case .fortune, .daytime, .time, .echo, .discard, .chargen: true
    }
  }

  /// Whether its datagrams can be far larger than the question, or answer another service's answer forever: it then
  /// answers only networks that `allow` names.
  public var requiresAllowListForDatagrams: Bool { self == .fortune || self == .echo || self == .chargen }

  /// Whether it shows begatd's state, which begatd passes to its listener: without begatd there is none.
  public var needsSupervisor: Bool { self == .status || self == .haproxyAgent }

  /// Whether it serves until all others have drained, so that its clients learn of that.
  public var endsLast: Bool { self == .haproxyAgent }

  /// Whether it tells fortunes.
  public var tellsFortunes: Bool { self == .hello || self == .fortune || self == .command }

  public static var names: String { allCases.map(\.rawValue).joined(separator: " ") }
}

/// What a service's name consists of: nothing that would need escaping.
public func isServiceNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
    true
  default: false
  }
}

/// The weight that `haproxy-agent` gives a service which accepts clients.
public enum AgentWeight: String, CaseIterable, Sendable {
  case full
  /// The share of places that are free.
  case free

  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// Which connections leave a line in the log.
public enum ConnectionLog: String, CaseIterable, Sendable {
  case connections
  /// Their beginnings too.
  case open
  /// Those only that ended by a fault of ours.
  case problems
  case none

  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
