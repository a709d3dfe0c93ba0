import CPlatform
import Glibc

/// Closes the files of a forked copy's descriptors, and leaves their numbers taken.
///
/// The copy has its parent's values that own descriptors, and may let go of them at any time.  If their numbers were
/// closed behind them, they would close what was opened there later.  So each number becomes a descriptor of a file that
/// can be neither read nor written, which its owner closes.
enum VacatedDescriptors {
  /// O_PATH, asm-generic/fcntl.h
  private static let pathOnly: CInt = 0x20_0000

  /// Vacates all descriptors from `first` on but these.
  ///
  /// Source: dup2(2), proc_pid_fd(5).
  static func vacate(from first: CInt, keeping kept: [CInt]) throws(SystemCallError) {
    // Read before anything else is opened: what is opened later has no owner of the parent's.
    let numbers = NumberedEntries.of("/proc/self/fd") ?? allPossible()
    let substitute = try openSubstitute()
    for number in numbers where number >= first && !kept.contains(number) && number != substitute.number {
      // The descriptor that read the list is in it, and is closed.
      guard platform_fcntl(number, F_GETFD, 0) != -1 else { continue }
      // A number above a limit that was lowered since cannot be taken again.
      if dup2(substitute.number, number) == -1 { close(number) }
      _ = platform_fcntl(number, F_SETFD, FD_CLOEXEC)
    }
  }

  private static func openSubstitute() throws(SystemCallError) -> Descriptor {
    // In a directory without devices, an epoll instance that nothing is added to.
    if let null = try? Descriptor.open("/dev/null", .path) { return null }
    return Descriptor(owning: try check("epoll_create1") { epoll_create1(CInt(EPOLL_CLOEXEC)) })
  }

  private static func allPossible() -> [CInt] {
    let limit = (try? ResourceLimit.openFiles.current().soft) ?? 1024
    return Array(0..<CInt(min(limit, 1 << 20)))
  }
}
