/// Where a connection keeps its counts while it lasts: memory that outlives its process, so that they are known even
/// when it is killed.
public struct Tally: @unchecked Sendable {
  /// Bytes received from and sent to the client.
  let received: UnsafeMutablePointer<UInt64>
  let sent: UnsafeMutablePointer<UInt64>
  /// A `Waiting` value.
  let waiting: UnsafeMutablePointer<UInt32>

  /// The memory must last as long as the process.
  public init(
    received: UnsafeMutablePointer<UInt64>, sent: UnsafeMutablePointer<UInt64>, waiting: UnsafeMutablePointer<UInt32>
  ) {
    self.received = received
    self.sent = sent
    self.waiting = waiting
  }
}

/// What a connection waits for: when the alarm ends the process, this is the limit that did it.
public enum Waiting: UInt32, Sendable {
  case nothing = 0
  case firstByte = 1
  case idle = 2
  /// The reply is out; the client has not closed yet.
  case close = 3
}

/// How long a client may take.  Nil is forever.
public struct TimeLimits: Hashable, Sendable {
  /// From the connection to the first byte received.
  public var firstByte: Duration?
  /// For each line or record, and for each piece of a reply that the client is slow to take.
  public var idle: Duration?

  public init(firstByte: Duration? = nil, idle: Duration? = nil) {
    self.firstByte = firstByte
    self.idle = idle
  }
}
