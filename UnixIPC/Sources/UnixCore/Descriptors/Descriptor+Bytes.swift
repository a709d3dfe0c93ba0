import Glibc

/// Whole pieces of data, where `read` and `write` take what there is.
extension Descriptor {
  /// Reads until the end of the file, or as many bytes as `limit`; what follows them is left unread.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline; what was read is lost then.
  ///
  /// Source: read(2).
  public func readToEnd(limit: Int, until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      if deadline != .never, !wait(for: .readable, until: deadline) { throw failure("read", .timedOut) }
      if try bytes.appendOnce(from: self, atMost: limit - bytes.count) == 0 { break }
      // Of a busy writer there is always something to read.
      if bytes.count < limit, deadline.isOver { throw failure("read", .timedOut) }
    }
    return bytes
  }
}

extension [UInt8] {
  /// What a pipe holds, and is read at once.
  static var piece: Int { 65536 }

  /// Reads once behind the last byte, at most `piece` or `limit`.
  ///
  /// - Returns: how many bytes; 0 at the end of the file.
  mutating func appendOnce(from descriptor: borrowing Descriptor, atMost limit: Int = .max) throws(SystemCallError)
    -> Int
  {
    let before = count
    try append(addingCapacity: Swift.min(Self.piece, limit)) {
      (room: inout OutputSpan<UInt8>) throws(SystemCallError) in
      try room.withUnsafeMutableBufferPointer { (buffer, count) throws(SystemCallError) in
        count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
    }
    return count - before
  }
}
