import NetworkServices
@_spi(Begat) import UnixCore

/// Receives the head of a request, within a time that is not prolonged by a client that sends a byte now and then.
struct HeadReader {
  private var bytes: [UInt8] = []

  /// How reading ended.
  enum End {
    case head(RequestHead)
    /// The bytes are no head, or there are too many of them.
    case problem(RequestHead.Problem)
    /// The time is over.
    case tooLate(hasBegun: Bool)
  }

  mutating func read(_ connection: inout Connection, until deadline: Deadline) throws(ConnectionFailure) -> End {
    while true {
      // The bytes before hold no end, but perhaps the beginning of one.
      let start = max(0, bytes.count - 2)
      guard let count = try connection.receive(appendingTo: &bytes, atMost: 2048, until: deadline) else {
        return .tooLate(hasBegun: !bytes.isEmpty)
      }
      guard count > 0 else {
        if bytes.isEmpty { throw .clientClosed }
        return .problem(RequestHead.Problem("the request ends in the middle of its head"))
      }
      if let length = RequestHead.length(in: bytes, from: start), length <= RequestHead.maxLength {
        do throws(RequestHead.Problem) { return .head(try RequestHead(bytes[..<length])) } catch {
          return .problem(error)
        }
      }
      guard bytes.count < RequestHead.maxLength else {
        return .problem(
          RequestHead.Problem(.headTooLarge, "the head of the request is longer than \(RequestHead.maxLength) bytes"))
      }
    }
  }
}
