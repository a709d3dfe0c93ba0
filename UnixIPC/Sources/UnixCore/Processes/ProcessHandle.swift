import CPlatform
import Glibc

/// A process that is held by a descriptor: whatever becomes of its number, this never means another process.
///
/// Source: pidfd_open(2).
public struct ProcessHandle: ~Copyable, Sendable {
  public let process: pid_t
  /// Readable when the process has ended.
  public let descriptor: Descriptor

  /// - Throws: `ESRCH` when there is no such process.  One that has ended and is not fetched yet is one still.
  public init(_ process: pid_t) throws(SystemCallError) {
    self.process = process
    descriptor = Descriptor(owning: try check("pidfd_open", on: String(process)) { platform_pidfd_open(process) })
  }

  /// Sends a signal to this process and to no other that has its number now.
  ///
  /// - Throws: `ESRCH` when it has ended and was fetched, `EPERM` when it is another user's.
  ///
  /// Source: pidfd_send_signal(2).
  public func send(_ signal: Signal) throws(SystemCallError) {
    _ = try check("pidfd_send_signal", on: String(process)) {
      platform_pidfd_send_signal(descriptor.number, signal.rawValue)
    }
  }

  /// Whether it has ended, fetched or not.
  public var hasEnded: Bool { descriptor.wait(for: .readable, until: .immediate) }

  /// Waits for its end, which whoever is its parent may fetch then; false at the deadline.
  public func awaitEnd(until deadline: Deadline = .never) -> Bool {
    descriptor.wait(for: .readable, until: deadline)
  }
}
