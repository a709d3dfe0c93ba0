import CPlatform
import Glibc

extension Descriptor {
  /// Copies everything up to the end of the file to another descriptor: the loop of every cat(1), relay and download.
  ///
  /// The kernel moves the bytes where it can, from a file or through a pipe, and otherwise they are read and written.  It
  /// does not matter whether either of the two is a file, pipe, socket or terminal, or is non-blocking.
  ///
  /// - Parameter sink: takes the bytes.
  /// - Parameter deadline: ends the copying, whichever of the two is waited for.
  /// - Parameter cancellation: ends the copying when it is cancelled.
  /// - Returns: the number of bytes.
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when it is cancelled, `EPIPE` for a sink without a reader, and
  ///   what reading and writing throw.  Some of the bytes may have been copied then.
  ///
  /// Source: splice(2), sendfile(2), read(2), write(2).
  @discardableResult
  public func copyAll(
    to sink: borrowing Descriptor, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> Int {
    let limit = CopyLimit(deadline: deadline, cancellation: cancellation)
    var count = 0
    // In these calls the kernel waits for a socket, and in sendfile(2) for a pipe, as long as it takes.
    if !limit.isBounded || !isSocket && !sink.isSocket {
      let call = isRegularFile && !limit.isBounded ? CopyCall.sendFile : .splice
      if try moveAll(to: sink, by: call, limit, &count) { return count }
    }
    try readAll(to: sink, limit, &count)
    return count
  }

  private enum CopyCall { case sendFile, splice }

  /// The end of a copying.
  private struct CopyLimit {
    let deadline: Deadline
    let cancellation: Cancellation?

    var isBounded: Bool { deadline != .never || cancellation != nil }

    /// After progress: two busy ends never make this wait.
    func check(_ descriptor: borrowing Descriptor, _ call: String) throws(SystemCallError) {
      if let cancellation, cancellation.isCancelled { throw descriptor.failure(call, .canceled) }
      if deadline.isExpired { throw descriptor.failure(call, .timedOut) }
    }
  }

  private var isSocket: Bool { (try? FileKind(of: self)) == .socket }
  private var isRegularFile: Bool { (try? FileKind(of: self)) == .regular }

  /// Moves all bytes within the kernel.
  ///
  /// - Returns: false if the kernel cannot do that, or not to the end: then the rest is to be read and written.
  private func moveAll(
    to sink: borrowing Descriptor, by call: CopyCall, _ limit: CopyLimit, _ count: inout Int
  ) throws(SystemCallError) -> Bool {
    while true {
      do throws(SystemCallError) {
        let moved =
          switch call {
          case .sendFile: try sendFile(to: sink, atMost: 1 << 20)
          case .splice: try splice(to: sink, atMost: 1 << 20)
          }
        // Some files of /proc seem empty to these calls, and are read.
        if moved == 0 { return count > 0 || !isRegularFile }
        count += moved
        try limit.check(self, "splice")
      } catch {
        switch error.code {
        case .invalidArgument, .noFunction, .notSupported, .overflow: return false
        case .wouldBlock:
          try self.await(.readable, until: limit.deadline, cancelledBy: limit.cancellation, for: "read")
          try sink.await(.writable, until: limit.deadline, cancelledBy: limit.cancellation, for: "write")
        default: throw error
        }
      }
    }
  }

  private func readAll(
    to sink: borrowing Descriptor, _ limit: CopyLimit, _ count: inout Int
  ) throws(SystemCallError) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: [UInt8].piece, alignment: 16)
    defer { room.deallocate() }
    while true {
      let size: Int
      do throws(SystemCallError) {
        if limit.isBounded {
          try self.await(.readable, until: limit.deadline, cancelledBy: limit.cancellation, for: "read")
        }
        size = try read(into: room)
      } catch {
        guard error.code == .wouldBlock else { throw error }
        try self.await(.readable, until: limit.deadline, cancelledBy: limit.cancellation, for: "read")
        continue
      }
      if size == 0 { return }
      try sink.writeAll(
        UnsafeRawBufferPointer(rebasing: room[..<size]), until: limit.deadline, cancelledBy: limit.cancellation)
      count += size
      try limit.check(self, "read")
    }
  }

  /// Writes all of the bytes, whatever kind of file it is and whatever its flags, and ends at the deadline.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, `ECANCELED` when it is cancelled, `EPIPE` for a pipe or a socket without a
  ///   reader.  Some of the bytes may have been written then.
  ///
  /// Source: write(2), send(2).
  public func writeAll(
    _ bytes: UnsafeRawBufferPointer, until deadline: Deadline, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) {
    if isSocket { return try sendAll(bytes, until: deadline, cancelledBy: cancellation) }
    let isBounded = deadline != .never || cancellation != nil
    var rest = bytes
    while !rest.isEmpty {
      do throws(SystemCallError) {
        if isBounded { try self.await(.writable, until: deadline, cancelledBy: cancellation, for: "write") }
        // A pipe with room takes at least one page without making its writer wait.
        let part = UnsafeRawBufferPointer(rebasing: rest.prefix(isBounded ? Int(PIPE_BUF) : .max))
        rest = UnsafeRawBufferPointer(rebasing: rest[try write(part)...])
        if !rest.isEmpty, deadline.isExpired { throw failure("write", .timedOut) }
      } catch {
        guard error.code == .wouldBlock else { throw error }
        try self.await(.writable, until: deadline, cancelledBy: cancellation, for: "write")
      }
    }
  }
}

extension BufferedReader {
  /// Copies what waits and everything up to the end of the file to another descriptor, as
  /// ``Descriptor/copyAll(to:until:cancelledBy:)`` does.
  ///
  /// - Returns: the number of bytes.
  /// - Throws: as ``Descriptor/copyAll(to:until:cancelledBy:)``.
  @discardableResult
  public mutating func copyAll(
    to sink: borrowing Descriptor, until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(SystemCallError) -> Int {
    let ahead = take(waitingCount)
    let span = ahead.span
    try span.bytes.withUnsafeBytes { (bytes) throws(SystemCallError) in
      try sink.writeAll(bytes, until: deadline, cancelledBy: cancellation)
    }
    if hasEnded { return ahead.count }
    return try ahead.count + descriptor.copyAll(to: sink, until: deadline, cancelledBy: cancellation)
  }
}
