/// Makes CR LF of the line ends of a text that comes in pieces, as network protocols have it; those that have their CR
/// already stay.
package struct LineEnds {
  private var last: UInt8 = 0

  package init() {}

  /// Calls `body` for each byte of the next piece, and for the CRs that it lacks.
  @inline(__always)
  mutating func expand<Failure: Error>(
    _ text: UnsafeRawBufferPointer, _ body: (UInt8) throws(Failure) -> Void
  ) throws(Failure) {
    for byte in text {
      if byte == UInt8(ascii: "\n"), last != UInt8(ascii: "\r") { try body(UInt8(ascii: "\r")) }
      try body(byte)
      last = byte
    }
  }

  /// Expands the next piece.
  ///
  /// - Parameter room: has twice the size of the text; the text may lie in its second half.
  /// - Returns: the length of the result.
  package mutating func expand(_ text: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int {
    var length = 0
    expand(text) { byte in
      room[length] = byte
      length += 1
    }
    return length
  }
}
