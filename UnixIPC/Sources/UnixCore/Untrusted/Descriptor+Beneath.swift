import CPlatform
import Glibc

extension Descriptor {
  /// Opens a file beneath this directory, wherever its path would like to lead: the kernel follows no symbolic link, and
  /// no `..` or leading slash out of the directory.
  ///
  ///     let root = try Descriptor.open("/srv/files", [.path, .directory])
  ///     let file = try root.open(beneath: request.relativePath(), [.readOnly, .nonBlocking])
  ///
  /// The file is opened close-on-exec and never as the controlling terminal.  A FIFO or a device may be there as well:
  /// with `nonBlocking`, opening one does not wait.
  ///
  /// - Parameter path: relative; of untrusted bytes, `relativePath` or `fileName`.
  /// - Parameter mode: the permissions of a file that is created, before the umask.
  /// - Throws: `ELOOP` for a symbolic link, at the end of the path too; `EXDEV` for a path that leads out; `EINVAL` for
  ///   one with a NUL; `ENOSYS` before Linux 5.6.
  ///
  /// Source: openat2(2), RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS.
  public func open(beneath path: UnixPath, _ flags: OpenFlags, mode: mode_t = 0o600) throws(SystemCallError)
    -> Descriptor
  {
    Descriptor(
      owning: try check("openat2", path: path) {
        platform_open_beneath(number, $0, flags.rawValue | O_CLOEXEC | O_NOCTTY, mode)
      })
  }

  /// Opens a file beneath this directory whose path is a text.
  public func open(beneath path: String, _ flags: OpenFlags, mode: mode_t = 0o600) throws(SystemCallError)
    -> Descriptor
  { try open(beneath: UnixPath(path), flags, mode: mode) }
}
