import CPlatform
import Glibc
@_spi(Begat) import UnixCore

extension SemaphoreSet {
  /// One change of one semaphore, or one wait.
  ///
  /// Source: semop(2).
  public struct Operation: Hashable, Sendable {
    /// How an operation is done.
    public struct Options: OptionSet, Sendable, Hashable {
      /// The flags of semop(2).
      public let rawValue: Int16
      /// Options from the flags of semop(2).
      public init(rawValue: Int16) { self.rawValue = rawValue }

      /// The operation fails with `EAGAIN` instead of waiting; `IPC_NOWAIT`.
      public static let nonBlocking = Options(rawValue: Int16(IPC_NOWAIT))
      /// The kernel takes the operation back when this process ends; `SEM_UNDO`.
      public static let undoAtExit = Options(rawValue: Int16(SEM_UNDO))
    }

    /// The number of the semaphore in its set.
    public var index: Int
    /// The amount that is added to the value; a negative one waits until the value is as great.  0 waits until the value
    /// is 0.
    public var amount: Int16
    /// How the operation is done.
    public var options: Options

    /// Adds an amount to a semaphore; a negative one waits until the value is as great.
    public init(_ index: Int, add amount: Int16, _ options: Options = []) {
      self.index = index
      self.amount = amount
      self.options = options
    }

    /// Waits until the value is 0.
    public static func waitForZero(_ index: Int, _ options: Options = []) -> Operation {
      Operation(index, add: 0, options)
    }
  }

  /// Does all of the operations in one step, in their order, or none of them: it waits until each can be done.
  ///
  /// - Parameter operations: at most 500 (`SEMOPM`).
  /// - Parameter deadline: ends the wait.
  /// - Throws: `ETIMEDOUT` at the deadline; `EAGAIN` if a non-blocking one would have to wait; `EIDRM` if the set was
  ///   removed while it waited, `EINVAL` if before; `ERANGE` if a value, or the sum of what is to be undone, would be
  ///   above 32,767 (`SEMVMX`); `EFBIG` for a number that the set does not have; `E2BIG` for too many; `ENOSPC` if the
  ///   kernel has no room to remember what is to be undone; `EACCES` if the set's mode forbids it.
  ///
  /// Source: semtimedop(2).
  public func perform(_ operations: [Operation], until deadline: Deadline = .never) throws(SystemCallError) {
    var native: [sembuf] = []
    for operation in operations {
      // A number that does not fit would mean another semaphore.
      guard let index = UInt16(exactly: operation.index) else {
        throw SystemCallError("semop", on: name, code: ErrorCode.fileTooLarge)
      }
      native.append(sembuf(sem_num: index, sem_op: operation.amount, sem_flg: operation.options.rawValue))
    }
    do throws(SystemCallError) {
      _ = try check("semop", on: name) {
        guard let left = deadline.remaining?.nanoseconds else {
          return platform_semtimedop(identifier, &native, native.count, nil)
        }
        // After a signal it is done again, with what is left.
        var limit = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
        return platform_semtimedop(identifier, &native, native.count, &limit)
      }
    } catch {
      // The kernel has one error for both.  A list without `nonBlocking` can only have run out of time, and one of
      // nothing else has never waited.
      let refusing = operations.count { $0.options.contains(.nonBlocking) }
      let isTimeOut = refusing == 0 || refusing < operations.count && deadline.isExpired
      throw error.code == .wouldBlock && isTimeOut ? SystemCallError("semop", on: name, code: .timedOut) : error
    }
  }

  /// Subtracts, waiting until the value is as great: P of a counting semaphore.
  ///
  /// - Parameter index: the number of the semaphore in the set.
  /// - Parameter amount: at least 1.
  /// - Parameter deadline: ends the wait.
  /// - Parameter undo: `atExit` if a process that dies shall give back what it has taken.
  /// - Throws: `EINVAL` for an amount below 1, and as `perform` does.
  public func wait(
    _ index: Int = 0, amount: Int16 = 1, undo: Undo = .never, until deadline: Deadline = .never
  ) throws(SystemCallError) {
    guard amount > 0 else { throw SystemCallError("semop", on: name, code: .invalidArgument) }
    try perform([Operation(index, add: -amount, undo.options)], until: deadline)
  }

  /// Adds without ever waiting: V of a counting semaphore.
  ///
  /// - Throws: `EINVAL` for an amount below 1, and as `perform` does.
  public func post(_ index: Int = 0, amount: Int16 = 1, undo: Undo = .never) throws(SystemCallError) {
    guard amount > 0 else { throw SystemCallError("semop", on: name, code: .invalidArgument) }
    try perform([Operation(index, add: amount, undo.options)])
  }

  /// Whether the kernel takes an operation back when its process ends, however it ends.
  public enum Undo: Sendable {
    /// The kernel takes it back; `SEM_UNDO`.
    case atExit
    /// The operation stays.
    case never

    /// The option of an operation that does so.
    public var options: Operation.Options { self == .atExit ? [.undoAtExit] : [] }
  }
}
