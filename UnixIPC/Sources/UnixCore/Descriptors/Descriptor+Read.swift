import Glibc

extension Descriptor {
  /// Reads what is there, at most the buffer's size; waits where nothing is there yet.
  ///
  /// - Returns: the number of bytes; 0 at the end of the file.
  ///
  /// Source: read(2).
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
    try check("read", onDescriptor: number) { Glibc.read(number, buffer.baseAddress, buffer.count) }
  }

  /// Reads what is there behind the bytes that the span has, at most its free capacity; waits where nothing is there yet.
  ///
  /// - Returns: the number of bytes; 0 at the end of the file, and for a span that is full.
  ///
  /// Source: read(2).
  public func read(into span: inout OutputRawSpan) throws(SystemCallError) -> Int {
    try span.appendOnce { (room) throws(SystemCallError) in try read(into: room) }
  }

  /// Reads what is there, at most `maxCount` bytes; waits where nothing is there yet.
  ///
  /// - Returns: the bytes; none at the end of the file.
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when it is cancelled, `EINVAL` for a negative count.
  ///
  /// Source: read(2).
  public func read(
    maxCount: Int, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> [UInt8] {
    guard maxCount >= 0 else { throw failure("read", .invalidArgument) }
    if deadline != .never || cancellation != nil {
      try self.await(.readable, until: deadline, cancelledBy: cancellation, for: "read")
    }
    var bytes: [UInt8] = []
    _ = try bytes.appendOnce(from: self, atMost: maxCount)
    return bytes
  }

  /// Reads `count` bytes, or fewer where the file ends before; what follows them is left unread.
  ///
  /// ``BufferedReader/readToEnd(limit:until:)`` reads a whole file and fails where that is more than its limit.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline; what was read is lost then.
  ///
  /// Source: read(2).
  public func readPrefix(_ count: Int, until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      if deadline != .never, !wait(for: .readable, until: deadline) { throw failure("read", .timedOut) }
      if try bytes.appendOnce(from: self, atMost: count - bytes.count) == 0 { break }
      // A busy writer always has data ready, so the wait above would never time out.
      if bytes.count < count, deadline.isExpired { throw failure("read", .timedOut) }
    }
    return bytes
  }
}

extension OutputRawSpan {
  /// Lets one call fill the free capacity from its beginning; its result is how many bytes it has written.
  mutating func appendOnce(_ call: (UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int)
    throws(SystemCallError) -> Int
  {
    guard !isFull else { return 0 }
    return try withUnsafeMutableBytes { (bytes, count) throws(SystemCallError) in
      let added = try call(UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
      count += added
      return added
    }
  }
}

extension [UInt8] {
  /// The capacity of a pipe, which is read in one call.
  static var piece: Int { 65536 }

  /// Reads once behind the last byte, at most `piece` or `limit`.
  ///
  /// - Returns: the number of bytes; 0 at the end of the file.
  mutating func appendOnce(from descriptor: borrowing Descriptor, atMost limit: Int = .max) throws(SystemCallError)
    -> Int
  {
    try appendOnce(atMost: limit) { (room) throws(SystemCallError) in try descriptor.read(into: room) }
  }

  /// Lets one call write behind the last byte; its result is how many bytes it has written.
  mutating func appendOnce(
    atMost limit: Int, _ call: (UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int
  ) throws(SystemCallError) -> Int {
    let before = count
    try append(addingCapacity: Swift.max(0, Swift.min(Self.piece, limit))) {
      (room: inout OutputSpan<UInt8>) throws(SystemCallError) in
      try room.withUnsafeMutableBufferPointer { (buffer, count) throws(SystemCallError) in
        count = try call(UnsafeMutableRawBufferPointer(buffer))
      }
    }
    return count - before
  }
}
