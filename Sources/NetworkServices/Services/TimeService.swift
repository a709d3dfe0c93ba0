/// The time as a number for machines.
///
/// Source: RFC 868.
public struct TimeService: DatagramService {
  public init() {}

  public func serve(_ connection: inout Connection) throws(ConnectionFailure) {
    try withBuffer(4) { (room) throws(ConnectionFailure) in
      TimeService.write(CalendarTime.nowOnce(), into: room)
      try connection.send(UnsafeRawBufferPointer(room))
    }
  }

  /// Any datagram is a question; RFC 868 has an empty one, perlipc's client sends the character 0.
  public func answer(_ question: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int? {
    TimeService.write(CalendarTime.now(), into: room)
    return 4
  }

  /// Writes four bytes: seconds since 1900-01-01 00:00 UTC, most significant byte first, modulo 2^32, so that they
  /// start at 0 again on 2036-02-07 06:28:16.
  ///
  /// - Parameter seconds: since 1970-01-01 00:00 UTC.
  static func write(_ seconds: Int64, into room: UnsafeMutableRawBufferPointer) {
    let from1900To1970: UInt32 = 2_208_988_800
    let number = UInt32(truncatingIfNeeded: seconds) &+ from1900To1970
    room.storeBytes(of: number.bigEndian, as: UInt32.self)
  }
}
