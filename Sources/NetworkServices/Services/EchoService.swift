/// Sends back what it receives, until the client has no more.
///
/// Source: RFC 862.
public struct EchoService: DatagramService {
  public init() {}

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(65_536) { (buffer) throws(ConnectionFailure) in
      while true {
        let count = try connection.receive(into: buffer)
        if count == 0 { return }
        try connection.send(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }

  public func answer(_ question: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int? {
    guard question.count <= room.count else { return nil }
    room.copyMemory(from: question)
    return question.count
  }
}
