import CPlatform
import Glibc

/// Closes the files of a forked copy's descriptors, and leaves their numbers taken.
///
/// The copy has its parent's values that own descriptors, and may let go of them at any time.  If their numbers were
/// closed behind them, they would close what was opened there later.  So each number becomes a descriptor of a file that
/// can be neither read nor written, which its owner closes.
package enum VacatedDescriptors {
  /// Vacates all descriptors from `first` on but these.
  ///
  /// Source: dup2(2), proc_pid_fd(5).
  package static func vacate(from first: CInt, keeping kept: [CInt]) throws(SystemCallError) {
    // Read before anything else is opened: what is opened later has no owner of the parent's.
    let numbers = (NumberedEntries.of("/proc/self/fd") ?? allPossible()).filter {
      // The descriptor that read the list is in it, and is closed.
      $0 >= first && !kept.contains($0) && platform_fcntl($0, F_GETFD, 0) != -1
    }
    guard let one = numbers.first else { return }
    let substitute = try openSubstitute(makingRoomBy: one)
    for number in numbers where number != substitute.number {
      // A number above a limit that was lowered since cannot be taken again.
      if dup2(substitute.number, number) == -1 { close(number) }
      _ = platform_fcntl(number, F_SETFD, FD_CLOEXEC)
    }
    // One that is in the place of another is closed by that one's owner.
    if numbers.contains(substitute.number) { _ = substitute.release() }
  }

  /// - Parameter number: closed where no further descriptor can be opened.
  private static func openSubstitute(makingRoomBy number: CInt) throws(SystemCallError) -> Descriptor {
    do throws(SystemCallError) { return try openSubstitute() } catch {
      guard error.code.isResourceExhaustion else { throw error }
      close(number)
      return try openSubstitute()
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
