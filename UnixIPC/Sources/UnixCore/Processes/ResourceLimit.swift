import CPlatform
import Glibc

/// A limit of the calling process and its children.
///
/// Source: getrlimit(2).
public struct ResourceLimit: RawRepresentable, Hashable, Sendable {
  /// The resource's number, as the kernel knows it.
  public let rawValue: CInt

  /// A resource by its number, such as one that this library does not name.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// RLIMIT_CPU: seconds of a processor.
  public static let processorTime = ResourceLimit(rawValue: 0)
  /// RLIMIT_FSIZE: bytes of a file that the process writes.
  public static let fileSize = ResourceLimit(rawValue: 1)
  /// RLIMIT_DATA: bytes of a process's data and heap.
  public static let dataSize = ResourceLimit(rawValue: 2)
  /// RLIMIT_STACK: bytes of the main thread's stack, which grows up to the limit in force at the moment.
  public static let stackSize = ResourceLimit(rawValue: 3)
  /// RLIMIT_CORE: bytes of a core file.
  public static let coreSize = ResourceLimit(rawValue: 4)
  /// RLIMIT_RSS: bytes of a process's resident memory; Linux ignores it.
  public static let residentSize = ResourceLimit(rawValue: 5)
  /// RLIMIT_NPROC: processes and threads of the real user.
  public static let processes = ResourceLimit(rawValue: 6)
  /// RLIMIT_NOFILE: the number above the greatest descriptor that the process may open.
  public static let openFiles = ResourceLimit(rawValue: 7)
  /// RLIMIT_MEMLOCK: bytes of memory that the process locks.
  public static let lockedMemory = ResourceLimit(rawValue: 8)
  /// RLIMIT_AS: bytes of a process's memory, mapped files included.
  public static let addressSpace = ResourceLimit(rawValue: 9)
  /// RLIMIT_LOCKS: file locks of the process; Linux ignores it.
  public static let fileLocks = ResourceLimit(rawValue: 10)
  /// RLIMIT_SIGPENDING: queued signals of the real user, in all of the user's processes.
  public static let pendingSignals = ResourceLimit(rawValue: 11)
  /// RLIMIT_MSGQUEUE: bytes of the real user's POSIX message queues.
  public static let messageQueueBytes = ResourceLimit(rawValue: 12)
  /// RLIMIT_NICE: 20 minus the lowest nice value that a process may give itself.
  public static let nice = ResourceLimit(rawValue: 13)
  /// RLIMIT_RTPRIO: the highest real-time priority that a process may give itself.
  public static let realTimePriority = ResourceLimit(rawValue: 14)
  /// RLIMIT_RTTIME: microseconds that a real-time process may use a processor without a blocking call.
  public static let realTimeProcessorTime = ResourceLimit(rawValue: 15)

  /// The limit in force (`soft`), and the value up to which an unprivileged process may raise it (`hard`);
  /// `UInt64.max` is unlimited.
  ///
  /// - Throws: `EINVAL` for a number that is no resource.
  public func current() throws(SystemCallError) -> (soft: UInt64, hard: UInt64) {
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    _ = try check("getrlimit", on: String(rawValue)) { platform_getrlimit(rawValue, &soft, &hard) }
    return (soft, hard)
  }

  /// Sets both values.
  ///
  /// - Throws: `EPERM` for a hard limit above the present one, without privileges; `EINVAL` for a soft limit above the
  ///   hard one, and for a number that is no resource.
  public func set(soft: UInt64, hard: UInt64) throws(SystemCallError) {
    _ = try check("setrlimit", on: String(rawValue)) { platform_setrlimit(rawValue, soft, hard) }
  }

  /// Raises the limit to at least `wanted`, as far as permitted.
  ///
  /// - Returns: the limit in force afterwards; 0 if it cannot be read.
  public func raise(to wanted: UInt64) -> UInt64 {
    guard let (soft, hard) = try? current() else { return 0 }
    if soft >= wanted { return soft }
    if hard < wanted, (try? set(soft: wanted, hard: wanted)) != nil { return wanted }
    let reachable = min(wanted, hard)
    return (try? set(soft: reachable, hard: hard)) != nil ? reachable : soft
  }
}
