import Glibc

/// Reads lines and whole contents from a descriptor that it owns.
///
/// Reads no further than it must: what is read ahead of a line waits here.
///
/// Source: read(2).
public struct BufferedReader: ~Copyable, Sendable {
  /// The descriptor that is read from.
  public let descriptor: Descriptor
  /// Whether the end of the file was read; bytes that wait may still be taken.
  public private(set) var hasEnded = false
  private var bytes: [UInt8] = []
  private var start = 0

  /// Makes a reader, which owns the descriptor from now on.
  public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// The bytes that were read and not taken yet.
  public var waiting: ArraySlice<UInt8> { bytes[start...] }
  /// The number of bytes that were read and not taken yet.
  public var waitingCount: Int { bytes.count - start }

  /// Reads once, waiting for something to come; false at the end of the file.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline.
  public mutating func fill(until deadline: Deadline = .never) throws(SystemCallError) -> Bool {
    guard !hasEnded else { return false }
    if deadline != .never, !descriptor.wait(for: .readable, until: deadline) {
      throw descriptor.failure("read", .timedOut)
    }
    makeRoom()
    hasEnded = try bytes.appendOnce(from: descriptor) == 0
    return !hasEnded
  }

  /// Drops what was taken, when that is most of it: else every line would move all the others.
  private mutating func makeRoom() {
    guard start > 0, start >= bytes.count / 2 else { return }
    bytes.removeFirst(start)
    start = 0
  }

  /// Makes room for that many bytes, at most 1 GiB, so that they are not moved as they come.
  public mutating func reserve(_ count: Int) {
    let wanted = min(max(0, count), 1 << 30) + [UInt8].piece
    guard bytes.capacity < wanted else { return }
    bytes.reserveCapacity(wanted)
    let capacity = bytes.capacity
    bytes.withUnsafeMutableBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return }
      Heap.useLargePages(UnsafeMutableRawBufferPointer(start: start, count: capacity))
    }
  }

  /// Takes what waits, or what comes next; nothing at the end of the file.
  public mutating func read(until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    if waitingCount == 0 { _ = try fill(until: deadline) }
    return take(waitingCount)
  }

  /// Takes the next line without its LF; nil at the end of the file.  A last line may lack the LF.
  ///
  /// - Parameter limit: the longest line in bytes; the rest of a longer one stays.
  /// - Throws: `EMSGSIZE` for a longer one, `ETIMEDOUT` at the deadline: what has come by then waits here.
  public mutating func readLine(limit: Int = 1 << 20, until deadline: Deadline = .never) throws(SystemCallError)
    -> [UInt8]?
  {
    var searched = 0
    while true {
      if let end = bytes[(start + searched)...].firstIndex(of: UInt8(ascii: "\n")) {
        guard end - start <= limit else { throw descriptor.failure("read", .messageTooLong) }
        let line = take(end - start)
        start += 1
        return line
      }
      let isFirst = searched == 0
      searched = waitingCount
      guard searched <= limit else { throw descriptor.failure("read", .messageTooLong) }
      // A busy writer always has data ready, so the wait above would never time out.
      if !isFirst, deadline.isExpired { throw descriptor.failure("read", .timedOut) }
      if try !fill(until: deadline) { return waitingCount == 0 ? nil : take(waitingCount) }
    }
  }

  /// Takes everything up to the end of the file.
  ///
  /// - Throws: `EMSGSIZE` when that is more than `limit` bytes, `ETIMEDOUT` at the deadline: what has come waits here.
  public mutating func readToEnd(limit: Int, until deadline: Deadline = .never) throws(SystemCallError) -> [UInt8] {
    while waitingCount <= limit {
      if try !fill(until: deadline) { return take(waitingCount) }
      // A busy writer always has data ready, so the wait above would never time out.
      if deadline.isExpired { throw descriptor.failure("read", .timedOut) }
    }
    throw descriptor.failure("read", .messageTooLong)
  }

  /// Takes as many of the bytes that wait, or all.
  public mutating func take(_ count: Int) -> [UInt8] {
    let end = start + min(max(0, count), waitingCount)
    // All of it is handed over as it is, without another copy.
    guard start > 0 || end < bytes.count else {
      defer { bytes = [] }
      return bytes
    }
    defer { start = end }
    return Array(bytes[start..<end])
  }

  /// Lends the last bytes that wait.
  package func showLast(_ count: Int, _ body: (UnsafeRawBufferPointer) throws(SystemCallError) -> Void)
    throws(SystemCallError)
  {
    let last = bytes.suffix(min(count, waitingCount))
    let failure = last.withUnsafeBytes { bytes -> SystemCallError? in
      do throws(SystemCallError) {
        try body(bytes)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// Forgets the first bytes of what waits, so that no more than `count` are left.
  ///
  /// - Returns: how many were forgotten.
  package mutating func keepLast(_ count: Int) -> Int {
    let excess = max(0, waitingCount - count)
    start += excess
    return excess
  }

  /// Forgets what waits.
  public mutating func dropWaiting() {
    bytes.removeAll(keepingCapacity: true)
    start = 0
  }
}
