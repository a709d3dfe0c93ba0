import CPlatform
import Glibc

/// A process that is held by a descriptor: whatever becomes of its number, the handle never means another process.
///
/// Source: pidfd_open(2).
public struct ProcessHandle: ~Copyable, Sendable {
  /// The process's number.  After it has ended and is reaped, another process may have that number.
  public let process: pid_t
  /// The descriptor, readable when the process has ended.
  public let descriptor: Descriptor
  /// Whether the descriptor only stands for one of a process that was gone before it could be opened.
  private let isStandIn: Bool

  /// Opens a handle of a process.
  ///
  /// - Throws: `ESRCH` when there is no such process; one that has ended and is not reaped yet is one still.
  public init(_ process: pid_t) throws(SystemCallError) {
    let number = try check("pidfd_open", on: String(process)) { platform_pidfd_open(process) }
    self.init(process, openedAs: Descriptor(owning: number))
  }

  init(_ process: pid_t, openedAs descriptor: consuming Descriptor) {
    self.process = process
    self.descriptor = descriptor
    isStandIn = false
  }

  /// Opens a handle of a child that was there, and may be reaped by now: with SIGCHLD ignored, by the kernel.
  init(ofChild process: pid_t) throws(SystemCallError) {
    do throws(SystemCallError) { self = try ProcessHandle(process) } catch {
      guard error.code == .noSuchProcess else { throw error }
      self = try ProcessHandle(standInOf: process)
    }
  }

  private init(standInOf process: pid_t) throws(SystemCallError) {
    self.process = process
    // Readable from the beginning.
    descriptor = Descriptor(owning: try check("eventfd") { eventfd(1, closeOnExecFlag | nonBlockingFlag) })
    isStandIn = true
  }

  /// Sends a signal to this process, and to no other that has its number now.
  ///
  /// - Throws: `ESRCH` when it has ended and is reaped, `EPERM` when it belongs to another user.
  ///
  /// Source: pidfd_send_signal(2).
  public func send(_ signal: Signal) throws(SystemCallError) {
    guard !isStandIn else { throw SystemCallError("pidfd_send_signal", on: String(process), code: .noSuchProcess) }
    _ = try check("pidfd_send_signal", on: String(process)) {
      platform_pidfd_send_signal(descriptor.number, signal.rawValue)
    }
  }

  /// Whether the process has ended and is reaped, so that nothing reserves its number any more.
  var isReaped: Bool {
    do throws(SystemCallError) { try send(Signal(rawValue: 0)) } catch { return error.code == .noSuchProcess }
    return false
  }

  /// Whether the process has ended, reaped or not.
  public var hasEnded: Bool { descriptor.wait(for: .readable, until: .immediate) }

  /// Waits for the process's end, after which its parent may reap it.
  ///
  /// - Returns: false if it has not ended by the deadline, or by one of `withDeadline`.
  ///
  /// Source: poll(2).
  public func waitForExit(until deadline: Deadline = .never) -> Bool {
    descriptor.wait(for: .readable, until: deadline)
  }
}
