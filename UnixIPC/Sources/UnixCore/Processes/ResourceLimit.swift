import CPlatform
import Glibc

/// A limit of the calling process and its children.
///
/// Source: getrlimit(2).
public struct ResourceLimit: Hashable, Sendable {
  let number: CInt

  public static let openFiles = ResourceLimit(number: limitOfOpenFiles)
  /// Queued signals of the real user, in all of the user's processes.
  public static let pendingSignals = ResourceLimit(number: limitOfPendingSignals)
  /// Processes of the real user.
  public static let processes = ResourceLimit(number: limitOfProcesses)
  /// RLIMIT_FSIZE: bytes of a file that the process writes.
  public static let fileSize = ResourceLimit(number: limitOfFileSize)
  public static let coreSize = ResourceLimit(number: limitOfCoreSize)
  /// Seconds of a processor.
  public static let processorTime = ResourceLimit(number: limitOfProcessorTime)
  /// Bytes of the main thread's stack, which grows up to what holds at the moment.
  public static let stackSize = ResourceLimit(number: limitOfStackSize)
  /// Bytes of a process's memory, mapped files included.
  public static let addressSpace = ResourceLimit(number: limitOfAddressSpace)
  /// 20 minus the lowest nice value that a process may give itself.
  public static let nice = ResourceLimit(number: limitOfNice)

  /// What holds now (`soft`) and how far an unprivileged process may raise it (`hard`); `UInt64.max` is unlimited.
  public func current() throws(SystemCallError) -> (soft: UInt64, hard: UInt64) {
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    _ = try check("getrlimit") { platform_getrlimit(number, &soft, &hard) }
    return (soft, hard)
  }

  public func set(soft: UInt64, hard: UInt64) throws(SystemCallError) {
    _ = try check("setrlimit") { platform_setrlimit(number, soft, hard) }
  }

  /// Raises the limit to at least `wanted`, as far as permitted, and returns what holds then.
  public func raise(to wanted: UInt64) -> UInt64 {
    guard let (soft, hard) = try? current() else { return 0 }
    if soft >= wanted { return soft }
    if hard < wanted, (try? set(soft: wanted, hard: wanted)) != nil { return wanted }
    let reachable = min(wanted, hard)
    return (try? set(soft: reachable, hard: hard)) != nil ? reachable : soft
  }
}
