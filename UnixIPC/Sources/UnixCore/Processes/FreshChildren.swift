import Glibc

/// The children that the caller gets while it ends them: those of a chain of processes, each of which forks and ends.
///
/// From fork to fork such a process lives some tens of microseconds.  So the list of children is read by one call, and
/// each new one is killed by the next.
///
/// Source: proc_tid_children(5), kill(2).
final class FreshChildren {
  /// Orphans become children of the first thread.
  private let list = try? Descriptor.open("/proc/self/task/\(getpid())/children", .readOnly)
  private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  /// Those in the list that were killed already: one that is not reaped stays there.  A number that has left the list may
  /// come back as another child's.
  private var killed: Set<pid_t> = []

  deinit { room.deallocate() }

  /// Kills new ones again and again, until there is none or many wait to be reaped.
  ///
  /// - Returns: whether there was one.
  func kill() -> Bool {
    var hasKilled = false
    for _ in 0..<256 {
      guard killNew() else { return hasKilled }
      hasKilled = true
    }
    return hasKilled
  }

  private func killNew() -> Bool {
    // No owner reaps one meanwhile, so that each number is a child's still.
    OwnedChildren.withRegister {
      let number =
        switch list {
        case .some(let list): list.number
        case nil: CInt(-1)
        }
      let count = pread(number, room.baseAddress, room.count, 0)
      var hasKilled = false
      var listed: Set<pid_t> = []
      var child: pid_t = 0
      for place in 0..<max(0, count) {
        let byte = room[place]
        if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
          child = child &* 10 &+ pid_t(byte &- UInt8(ascii: "0"))
        } else if child > 0 {
          listed.insert(child)
          if !killed.contains(child), Glibc.kill(child, SIGKILL) == 0 { hasKilled = true }
          child = 0
        }
      }
      killed = listed
      return hasKilled
    }
  }
}
