import CPlatform
import Glibc

/// The threads of the calling process, which decide whether it may be forked.
///
/// A fork copies one thread only.  Whatever lock another one had at that moment, in the memory allocator for one, stays
/// taken in the copy forever.
public enum Threads {
  /// Whether the calling thread is the only one.
  public static var isAlone: Bool { platform_has_one_thread() || count == 1 }

  /// How many there are now.
  ///
  /// Source: proc_pid_task(5).
  public static var count: Int {
    var status = stat()
    // A directory has two links more than directories in it.
    guard stat("/proc/self/task", &status) == 0, status.st_nlink > 2 else { return platform_has_one_thread() ? 1 : 2 }
    return Int(status.st_nlink) - 2
  }

  /// - Throws: `EDEADLK` with the number of threads, where forking would be unsafe.
  static func mustBeAlone() throws(SystemCallError) {
    if isAlone { return }
    // The kernel counts a thread that was joined for a moment longer.
    for _ in 0..<20 {
      SystemClock.sleep(for: .milliseconds(1))
      if isAlone { return }
    }
    throw SystemCallError(
      "fork", on: "a process with \(count) threads (fork before any is started, or start a program instead)",
      code: .deadlock)
  }
}
