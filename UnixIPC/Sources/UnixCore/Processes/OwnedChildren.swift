import CPlatform
import Glibc

/// The children of the calling process that a `ChildProcess` owns, so that nothing else reaps them.
enum OwnedChildren {
  /// `__WALL`: children of any kind, also those whose exit signal is not SIGCHLD.
  static let anyKind: CInt = 0x4000_0000

  private struct Locks: @unchecked Sendable {
    /// Held for reading from a child's start until it is registered, and for writing while children are reaped that
    /// nothing owns: a child that was just started must not pass for one of those.
    let gate = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)
    /// Guards the register, and the status of each owned child.
    let register = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { reset() }

    func reset() {
      pthread_rwlock_init(gate, nil)
      pthread_mutex_init(register, nil)
    }
  }

  private static let locks = Locks()
  nonisolated(unsafe) private static var processes: Set<pid_t> = []
  /// A forked copy has the register of its parent, whose children are not its own.
  nonisolated(unsafe) private static var parent: pid_t = 0

  /// Runs a body that starts a child and registers it.
  static func whileStarting<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_rwlock_rdlock(locks.gate)
    defer { pthread_rwlock_unlock(locks.gate) }
    return try body()
  }

  /// Runs a body that reaps children that nothing owns.
  static func whileNoneStarts<Result>(_ body: () -> Result) -> Result {
    pthread_rwlock_wrlock(locks.gate)
    defer { pthread_rwlock_unlock(locks.gate) }
    return body()
  }

  /// Runs a body that nothing else interrupts that looks at the register or at an owned child's status.
  static func withRegister<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(locks.register)
    defer { pthread_mutex_unlock(locks.register) }
    return body()
  }

  /// False for a child that has an owner already.
  static func add(_ process: pid_t) -> Bool {
    withRegister {
      if parent != getpid() {
        processes = []
        parent = getpid()
      }
      return processes.insert(process).inserted
    }
  }

  /// To be called inside of `withRegister`.
  static func remove(_ process: pid_t) {
    if parent == getpid() { processes.remove(process) }
  }

  static func contains(_ process: pid_t) -> Bool {
    withRegister { parent == getpid() && processes.contains(process) }
  }

  /// Whether there are none, so that any child may be reaped without a look at its number.
  static var isEmpty: Bool { withRegister { parent != getpid() || processes.isEmpty } }

  /// To be called in a forked copy of a process with one thread, which forked while it started a child.
  static func resetInCopy() { locks.reset() }
}
