@_spi(Begat) import UnixCore

/// A reply put together in memory that the service provides, sent whenever that is full: a short one leaves in one piece.
package struct Reply {
  /// Room enough for most replies, in bytes; more would not be on the stack.
  static let size = 1024

  private let room: UnsafeMutableRawBufferPointer
  private var count = 0
  private var ends = LineEnds()

  init(in room: UnsafeMutableRawBufferPointer) { self.room = room }

  package mutating func append(_ byte: UInt8, to connection: inout Connection) throws(ConnectionFailure) {
    if count == room.count { try send(to: &connection) }
    room[count] = byte
    count += 1
  }

  package mutating func append(_ bytes: UnsafeRawBufferPointer, to connection: inout Connection)
    throws(ConnectionFailure)
  {
    for byte in bytes { try append(byte, to: &connection) }
  }

  package mutating func append(_ text: StaticString, to connection: inout Connection) throws(ConnectionFailure) {
    try append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), to: &connection)
  }

  @_disfavoredOverload
  package mutating func append(_ text: String, to connection: inout Connection) throws(ConnectionFailure) {
    for byte in text.utf8 { try append(byte, to: &connection) }
  }

  /// Lines of text with CRLF at their ends, as network protocols have it, whichever ends they had, and in whichever
  /// pieces they come.
  mutating func append(lines text: UnsafeRawBufferPointer, to connection: inout Connection) throws(ConnectionFailure) {
    var ends = ends
    try ends.expand(text) { (byte) throws(ConnectionFailure) in try append(byte, to: &connection) }
    self.ends = ends
  }

  /// Sends what is left.
  package mutating func send(to connection: inout Connection) throws(ConnectionFailure) {
    guard count > 0 else { return }
    try connection.send(UnsafeRawBufferPointer(rebasing: room[..<count]))
    count = 0
  }
}
