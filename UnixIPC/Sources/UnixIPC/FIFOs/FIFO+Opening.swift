import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Opening the very pipe of this value: never a file that was put in its place.
extension FIFO {
  /// Opens the FIFO for writing, as soon as another process has it open for reading.
  ///
  /// The wait needs no polling: this call holds the writing end, so that a reader's open(2) succeeds, which the kernel
  /// announces.  To open that end, this process is a reader for a moment: another writer that waits in open(2) is let in
  /// by that and finds no reader.  Let one process at a time wait in this way.
  ///
  /// - Parameter deadline: ends the wait for a reader.
  /// - Parameter cancellation: ends the wait for a reader when it is cancelled.
  /// - Returns: a descriptor whose writes wait for the reader.
  /// - Throws: ``OpenError/replaced(_:)`` if another file is at its path; ``OpenError/call(_:)`` with `ETIMEDOUT` at the
  ///   deadline and `ECANCELED` when the wait is cancelled.
  ///
  /// Source: fifo(7), inotify(7).
  public func openForWriting(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(OpenError) -> Descriptor {
    guard isInPlace else { throw .replaced(path) }
    return try opening { () throws(SystemCallError) in
      switch try writingEnd() {
      case .some(let writer):
        try writer.setNonBlocking(false)
        return writer
      case .none: break
      }
      let watch = try FileWatch()
      let writer = try heldWritingEnd()
      _ = try watch.add(ownPath, IN_OPEN)
      // A reader that came before the watch is seen here, a later one announced.
      while !writer.hasReader {
        try watch.descriptor.await(
          .readable, until: deadline, cancelledBy: cancellation, for: "open", on: path.description)
        watch.take { _, _ in }
      }
      try writer.setNonBlocking(false)
      return writer
    }
  }

  /// Opens the FIFO for reading, and waits for the first bytes, or for a writer that came and went without any.
  ///
  /// - Parameter deadline: ends the wait for a writer.
  /// - Parameter cancellation: ends the wait for a writer when it is cancelled.
  /// - Returns: a descriptor whose reads wait for a writer, and end when all writers have closed it.
  /// - Throws: ``OpenError/replaced(_:)`` if another file is at its path; ``OpenError/call(_:)`` with `ETIMEDOUT` at the
  ///   deadline and `ECANCELED` when the wait is cancelled.
  ///
  /// Source: fifo(7), poll(2).
  public func openForReading(
    until deadline: Deadline = .never, cancelledBy cancellation: Cancellation? = nil
  ) throws(OpenError) -> Descriptor {
    guard isInPlace else { throw .replaced(path) }
    return try opening { () throws(SystemCallError) in
      let reader = try FIFO.named(path) { () throws(SystemCallError) in
        try Descriptor.open(ownPath, [.readOnly, .nonBlocking])
      }
      try reader.await(.readable, until: deadline, cancelledBy: cancellation, for: "open", on: path.description)
      try reader.setNonBlocking(false)
      return reader
    }
  }

  /// The writing end, which does not wait; nil if no process reads.
  func writingEnd() throws(SystemCallError) -> Descriptor? {
    do throws(SystemCallError) {
      return try FIFO.named(path) { () throws(SystemCallError) in
        try Descriptor.open(ownPath, [.writeOnly, .nonBlocking])
      }
    } catch {
      if error.code.rawValue == ENXIO { return nil }
      throw error
    }
  }

  /// The same without a reader: this process is one for the moment of opening.
  func heldWritingEnd() throws(SystemCallError) -> Descriptor {
    let path = path
    let ownPath = ownPath
    return try FIFO.named(path) { () throws(SystemCallError) in
      let reader = try Descriptor.open(ownPath, [.readOnly, .nonBlocking])
      let writer = try Descriptor.open(ownPath, [.writeOnly, .nonBlocking])
      _ = consume reader
      return writer
    }
  }
}

extension Descriptor {
  /// Whether any process has the other end of a pipe's writing end open.
  var hasReader: Bool { !PollSet.readiness(of: number, for: []).contains(.failed) }
}
