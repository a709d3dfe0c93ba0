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
  /// Processes that wait for clients.
  public var spares: UInt64 = 0
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
  /// Whether it is a listener that runs without begatd.
  public var isStandalone = false
  /// Whether the configuration has given it up.
  public var isLeaving = false
  /// Whether it has a sandbox, as far as the kernel has one; nil where that is not known.
  public var isConfined: Bool?
  public var rates = Rates()
  /// Accepted connections by 10 s, the oldest first; the last place is not over yet.
  public var history = [UInt32](repeating: 0, count: ServiceStatus.historyLength)
  /// Refused connections, as `history`.
  public var refusedHistory = [UInt32](repeating: 0, count: ServiceStatus.historyLength)
  public var durations = DurationHistogram()
  /// Ended connections by how they ended, one count for each way; the sum is `ended`.
  public var outcomes: [OutcomeCount] = []
  /// Bytes of ended connections; those of programs that have a connection to themselves are not known.
  public var bytesReceived: UInt64 = 0
  public var bytesSent: UInt64 = 0

  /// How many places of 10 s a history has: a quarter of an hour.
  public static let historyLength = 90

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
