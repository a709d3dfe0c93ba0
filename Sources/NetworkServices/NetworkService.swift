/// Something that is offered to clients over a byte stream: one function over a connection.
///
/// It runs in a process of its own for each connection and knows neither sockets nor forks.  What it needs of the
/// machine it has read before the first connection.
public protocol NetworkService {
  func serve(_ connection: inout Connection) throws(ConnectionFailure)
}

/// A service that also answers single datagrams.
public protocol DatagramService: NetworkService {
  /// Writes the answer.
  ///
  /// - Returns: its length, 0 for an empty one; nil when there is nothing to answer.
  func answer(_ question: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int?
}

/// The longest datagram that is looked at or sent, in bytes: what UDP over IPv4 can carry.
public let largestDatagram = 65_507
