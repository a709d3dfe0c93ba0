/// Throws away what it receives and answers nothing.
///
/// Source: RFC 863.
public struct DiscardService: DatagramService {
  public init() {}

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(65_536) { (buffer) throws(ConnectionFailure) in
      while try connection.receive(into: buffer) > 0 {}
    }
  }

  public func answer(_ question: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int? { nil }
}
