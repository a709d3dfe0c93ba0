/// The answer to `status`: begatd, its services, and who is denied.
public struct StatusReport: Hashable, Sendable {
  public var daemon: DaemonStatus
  public var services: [ServiceStatus]
  public var denials: [Denial]

  public init(daemon: DaemonStatus, services: [ServiceStatus], denials: [Denial] = []) {
    self.daemon = daemon
    self.services = services
    self.denials = denials
  }
}

/// begatd itself.
public struct DaemonStatus: Hashable, Sendable {
  public enum State: String, Sendable, CaseIterable {
    case starting
    case serving
    case reloading
    /// It has said that it will stop, and accepts clients until `announce-time` is over.
    case announcing
    /// It accepts no more clients and waits for open connections.
    case stopping
  }

  /// begat's version.
  public var version: String
  public var process: Int32
  public var state: State
  /// Since its start.
  public var age: Duration
  /// The file, or `built-in default`.
  public var configuration: String
  /// Since the configuration in force was read; nil if it was read at the start.
  public var reloadAge: Duration?

  public init(
    version: String, process: Int32, state: State, age: Duration, configuration: String, reloadAge: Duration? = nil
  ) {
    self.version = version
    self.process = process
    self.state = state
    self.age = age
    self.configuration = configuration
    self.reloadAge = reloadAge
  }
}

/// A service: what it offers where, and what has become of its clients.
public struct ServiceStatus: Hashable, Sendable {
  public enum State: String, Sendable, CaseIterable {
    /// Its first listener is not ready yet, or one that died is being replaced.
    case starting
    case serving
    /// It will be drained, and accepts clients until `announce-time` is over.
    case announcing
    /// It accepts no more clients and waits for open connections.
    case draining
    /// Its last connection has ended; it serves again after `begat resume`.
    case drained
    /// Its listener ends again and again; the next start is delayed.
    case failed
  }

  public struct Address: Hashable, Sendable {
    public var text: String
    public var isDatagram: Bool

    public init(_ text: String, isDatagram: Bool) {
      self.text = text
      self.isDatagram = isDatagram
    }
  }

  /// How many clients one reason has refused.
  public struct Refused: Hashable, Sendable {
    /// A key of the configuration, `allow-and-deny`, or `begat-deny`.
    public var reason: String
    public var count: UInt64

    public init(_ reason: String, _ count: UInt64) {
      self.reason = reason
      self.count = count
    }
  }

  /// Counts of datagrams by what became of them.
  public struct Datagrams: Hashable, Sendable {
    public var answered: UInt64
    public var refused: [Refused]
    /// From ports and addresses that are never answered.
    public var ignored: UInt64

    public init(answered: UInt64, refused: [Refused], ignored: UInt64) {
      self.answered = answered
      self.refused = refused
      self.ignored = ignored
    }
  }

  public var name: String
  public var state: State
  /// The time until the state ends by itself, such as `announcing`; nil where it does not.
  public var remaining: Duration?
  public var addresses: [Address]
  /// Connections that are open now.
  public var active: UInt64
  /// `max-connections`; nil where the program accepts clients itself, and for datagrams alone.
  public var limit: UInt64?
  public var accepted: UInt64
  public var ended: UInt64
  public var refused: [Refused]
  /// Records of connections that were not logged because the log could not keep up.
  public var droppedRecords: UInt64
  /// Nil where it answers none.
  public var datagrams: Datagrams?
  /// The current one first.
  public var listeners: [ListenerStatus]

  public init(name: String, state: State) {
    self.name = name
    self.state = state
    addresses = []
    active = 0
    accepted = 0
    ended = 0
    refused = []
    droppedRecords = 0
    listeners = []
  }
}

/// A listener of a service.
public struct ListenerStatus: Hashable, Sendable {
  public enum Role: String, Sendable, CaseIterable {
    /// It reads its settings and is not accepting yet.
    case starting
    /// It accepts the service's clients.
    case current
    /// It accepts no more clients and serves those that it has.
    case retiring
  }

  public var process: Int32
  /// Its number among the service's listeners, from 1.
  public var generation: UInt64
  public var role: Role
  public var age: Duration
  public var active: UInt64

  public init(process: Int32, generation: UInt64, role: Role, age: Duration, active: UInt64) {
    self.process = process
    self.generation = generation
    self.role = role
    self.age = age
    self.active = active
  }
}

/// A network that `begat deny` keeps away.
public struct Denial: Hashable, Sendable {
  public var network: String
  /// Nil for all services.
  public var service: String?
  /// The time until it ends; nil if it does not.
  public var remaining: Duration?

  public init(network: String, service: String?, remaining: Duration?) {
    self.network = network
    self.service = service
    self.remaining = remaining
  }
}
