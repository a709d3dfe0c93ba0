@_spi(Begat) import UnixCore

/// The date and time as one line of text for people.
///
/// Source: RFC 867.
public struct DaytimeService: DatagramService {
  public init() {}

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(64) { (room) throws(ConnectionFailure) in
      try connection.send(DaytimeService.line(CalendarTime.nowOnce(), in: room))
    }
  }

  public func answer(_ question: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int? {
    DaytimeService.line(CalendarTime.now(), in: room).count
  }

  /// The line that is sent: ctime(3)'s form and CRLF, 26 bytes.
  ///
  /// - Parameter seconds: since 1970-01-01 00:00 UTC; shown in the local time zone.
  static func line(_ seconds: Int64, in room: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer {
    var text = ByteWriter(room)
    CalendarTime.append(seconds, to: &text)
    text.append("\r\n")
    return text.bytes
  }
}
