/// An open connection, as its own process reports it.
public struct ConnectionStatus: Hashable, Sendable {
  /// The event for which a connection process waits.
  public enum Waiting: String, Sendable, CaseIterable {
    /// The client's first byte.
    case firstByte = "first-byte"
    /// More from the client, or until it takes the answer.
    case client
    /// The answer is out, and the client has not closed yet.
    case close

    /// - Parameter number: as in the scoreboard; nil for one that waits for nothing that begat knows.
    public init?(number: UInt32) {
      guard number >= 1, number <= Waiting.allCases.count else { return nil }
      self = Waiting.allCases[Int(number) - 1]
    }
  }

  public var id: ConnectionID
  /// The client's address, or the path of the Unix socket that it came through; nil where it is not known.
  public var peer: String?
  /// The address of the proxy that has named the client; nil if the client connected directly.
  public var via: String?
  /// The client's host name, if begatd knew it already; reports never look one up.
  public var name: String?
  /// The user at the other end of a Unix socket.
  public var user: UInt32?
  public var process: Int32
  /// The process of its listener.
  public var listener: Int32
  public var age: Duration
  /// Bytes; nil where a program has the connection to itself.
  public var received: UInt64?
  public var sent: UInt64?
  public var waiting: Waiting?

  public init(id: ConnectionID, process: Int32, listener: Int32, age: Duration) {
    self.id = id
    self.process = process
    self.listener = listener
    self.age = age
  }
}
