import ControlProtocol

/// The state of begatd and its services without the counts of scoreboards, which are read where a report is made of it.
///
/// Times are CLOCK_MONOTONIC, nanoseconds: they hold however much later it is read.
public struct DaemonState: Hashable, Sendable {
  public var version = ""
  public var process: Int32 = 0
  public var state = DaemonStatus.State.starting
  public var startTime: Int64 = 0
  /// As in `DaemonStatus`.
  public var configuration = ""
  /// When the configuration in force was read; nil if that was at the start.
  public var reloadTime: Int64?
  /// Without an age.
  public var reloads = ReloadCounts()
  /// When the last reload ended; nil if there was none.
  public var lastReloadTime: Int64?
  public var lostLogMessages: UInt64 = 0
  /// As in `DaemonStatus`.
  public var sandboxGaps: [String] = []
  public var services: [ServiceState] = []
  public var denials: [DenialState] = []
  /// Further denials that are not listed.
  public var omittedDenials = 0

  public init() {}
}

/// A service of begatd's, as `DaemonState`.
public struct ServiceState: Hashable, Sendable {
  public var name: String
  public var state: ServiceStatus.State
  /// When the state ends by itself; nil where it does not.
  public var endTime: Int64?
  /// Whether the configuration has given it up.
  public var isLeaving = false
  public var addresses: [ServiceStatus.Address] = []
  public var limit: UInt64?
  /// Whether counts of datagrams mean something.
  public var answersDatagrams = false
  /// When it began to be offered.
  public var startTime: Int64 = 0
  /// The counts of listeners that have ended.
  public var totals = ServiceCounters()
  public var listeners: [ListenerState] = []
  /// The text of its one Unix socket.
  public var unixAddress: String?
  public var isConfined = true

  public init(name: String, state: ServiceStatus.State) {
    self.name = name
    self.state = state
  }
}

/// A listener of a service, as `DaemonState`.
public struct ListenerState: Hashable, Sendable {
  public var process: Int32
  public var generation: UInt64
  public var role: ListenerStatus.Role
  public var startTime: Int64
  /// The number of its scoreboard, which no other listener of this begatd has.
  public var board: UInt32

  public init(process: Int32, generation: UInt64, role: ListenerStatus.Role, startTime: Int64, board: UInt32) {
    self.process = process
    self.generation = generation
    self.role = role
    self.startTime = startTime
    self.board = board
  }
}

/// A network that `begat deny` keeps away, as `DaemonState`.
public struct DenialState: Hashable, Sendable {
  public var network: String
  /// Nil for all services.
  public var service: String?
  /// When it ends; nil if it does not.
  public var endTime: Int64?

  public init(network: String, service: String?, endTime: Int64?) {
    self.network = network
    self.service = service
    self.endTime = endTime
  }
}
