@_spi(Begat) import UnixCore

/// A fortune for each client: the quote of the day, chosen anew every time.
///
/// Source: RFC 865.
public struct FortuneService: DatagramService {
  /// RFC 865 has a quote's length below 512 characters; where it is a datagram, that is kept.
  private static let longestAnswer = 511

  private let fortunes: FortuneCollection

  public init(fortunes: FortuneCollection) { self.fortunes = fortunes }

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(Reply.size) { (room) throws(ConnectionFailure) in
      var reply = Reply(in: room)
      try fortunes.append(fortunes.random(), to: &reply, of: &connection)
      try reply.send(to: &connection)
    }
  }

  public func answer(_ question: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int? {
    guard let fortune = fortunes.random(atMost: FortuneService.longestAnswer) else { return nil }
    return fortunes.write(fortune, into: room)
  }
}
