import CPlatform
import Glibc

/// Opening the very pipe of this value: never a file that was put in its place.
extension FIFO {
  /// Opens it for writing when somebody has it open for reading.
  ///
  /// It waits without polling: it holds the writing end, so that a reader's open(2) succeeds, which the kernel
  /// announces.  That end needs a reader for a moment, this process itself: another writer that waits in open(2) for
  /// the same reader is let in by that and finds nobody.  Let one process at a time wait so.
  ///
  /// - Returns: a descriptor whose writes wait for the reader.
  /// - Throws: `Refusal.replaced` when it does not stand at its path, `ETIMEDOUT` at the deadline.
  ///
  /// Source: fifo(7), inotify(7).
  public func openForWriting(until deadline: Deadline = .never) throws(Refusal) -> Descriptor {
    guard isInPlace else { throw .replaced(path) }
    return try refusing { () throws(CallFailure) in
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
        guard watch.descriptor.wait(for: .readable, until: deadline) else {
          throw CallFailure("open", on: path, errno: .timedOut)
        }
        watch.take { _, _ in }
      }
      try writer.setNonBlocking(false)
      return writer
    }
  }

  /// Opens it for reading, and waits for the first bytes, or for a writer that came and went without any.
  ///
  /// - Returns: a descriptor whose reads wait for a writer, and end when all writers have closed.
  /// - Throws: `Refusal.replaced` when it does not stand at its path, `ETIMEDOUT` at the deadline.
  ///
  /// Source: fifo(7), poll(2).
  public func openForReading(until deadline: Deadline = .never) throws(Refusal) -> Descriptor {
    guard isInPlace else { throw .replaced(path) }
    return try refusing { () throws(CallFailure) in
      let reader = try FIFO.named(path) { () throws(CallFailure) in
        try Descriptor.open(ownPath, O_RDONLY | O_NONBLOCK)
      }
      guard reader.wait(for: .readable, until: deadline) else {
        throw CallFailure("open", on: path, errno: .timedOut)
      }
      try reader.setNonBlocking(false)
      return reader
    }
  }

  /// The writing end, which does not wait; nil when nobody reads.
  func writingEnd() throws(CallFailure) -> Descriptor? {
    do throws(CallFailure) {
      return try FIFO.named(path) { () throws(CallFailure) in
        try Descriptor.open(ownPath, O_WRONLY | O_NONBLOCK)
      }
    } catch {
      if error.errno.rawValue == ENXIO { return nil }
      throw error
    }
  }

  /// The same without a reader: this process is one for the moment of opening.
  func heldWritingEnd() throws(CallFailure) -> Descriptor {
    let path = path
    let ownPath = ownPath
    return try FIFO.named(path) { () throws(CallFailure) in
      let reader = try Descriptor.open(ownPath, O_RDONLY | O_NONBLOCK)
      let writer = try Descriptor.open(ownPath, O_WRONLY | O_NONBLOCK)
      _ = consume reader
      return writer
    }
  }
}

extension Descriptor {
  /// Of a pipe's writing end: whether somebody has the other one.
  var hasReader: Bool { !PollSet.readiness(of: number, for: []).contains(.failed) }
}
