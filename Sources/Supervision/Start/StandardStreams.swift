import Glibc
import UnixIPC

/// Descriptors 0, 1 and 2, which must be something: else the next socket opened would be taken for standard error.
enum StandardStreams {
  /// /dev/null, for programs that need no input or output.
  static let null: Descriptor = {
    do throws(CallFailure) { return try Descriptor.open("/dev/null", O_RDWR) } catch {
      preconditionFailure("begatd cannot run without it: \(error)")
    }
  }()

  /// What begatd's own programs get as standard error: begatd's, but not a starter's that waits for its end.
  static func errorNumber(isDetached: Bool) -> CInt { isDetached ? null.number : STDERR_FILENO }

  /// Opens /dev/null where 0, 1 or 2 is closed.
  static func fillGaps() throws(CallFailure) {
    while true {
      let filler = try Descriptor.open("/dev/null", O_RDWR)
      guard filler.number <= 2 else { return }
      try filler.setCloseOnExec(false)
      _ = filler.release()
    }
  }

  /// Lets go of the terminal's or starter's streams.
  static func becomeNull() {
    for number in 0...2 { _ = dup2(null.number, CInt(number)) }
  }
}
