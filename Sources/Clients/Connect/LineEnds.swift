import Glibc

/// Makes CR LF of the line ends of a text that comes in pieces; those that have their CR already stay.
struct LineEnds {
  private var endsWithCR = false

  /// Expands `count` bytes that lie from the middle of the buffer on; the result begins at its start.
  ///
  /// - Returns: the length of the result, at most twice as much.
  mutating func expand(_ count: Int, inUpperHalfOf buffer: UnsafeMutableRawBufferPointer) -> Int {
    let middle = buffer.count / 2
    var end = 0
    for index in middle..<middle + min(count, buffer.count - middle) {
      let byte = buffer[index]
      if byte == UInt8(ascii: "\n"), !endsWithCR {
        buffer[end] = UInt8(ascii: "\r")
        end += 1
      }
      buffer[end] = byte
      end += 1
      endsWithCR = byte == UInt8(ascii: "\r")
    }
    return end
  }
}
