import CPlatform
import Glibc

extension Descriptor {
  /// Opens a file, close-on-exec and never as the controlling terminal.
  ///
  /// - Parameter mode: the permissions of a file that is created, before the umask.
  /// - Throws: `EINVAL` for a path with a NUL, among others of open(2).
  ///
  /// Source: open(2).
  public static func open(_ path: UnixPath, _ flags: OpenFlags, mode: mode_t = 0o600) throws(SystemCallError)
    -> Descriptor
  {
    Descriptor(
      owning: try check("open", path: path) { platform_open($0, flags.rawValue | O_CLOEXEC | O_NOCTTY, mode) })
  }

  /// Opens a file whose path is a text.
  public static func open(_ path: String, _ flags: OpenFlags, mode: mode_t = 0o600) throws(SystemCallError)
    -> Descriptor
  { try open(UnixPath(path), flags, mode: mode) }
}
