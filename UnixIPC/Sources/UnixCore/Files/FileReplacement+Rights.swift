import CPlatform
import Glibc

/// Owner and permissions of the new file.
extension FileReplacement {
  static func give(_ contents: borrowing Descriptor, rightsOf path: UnixPath, _ old: stat) {
    let number = contents.number
    var mode = old.st_mode & 0o777
    // A user who may not change the owner may still change the group to one of his own.  uid_t.max leaves the owner.
    let hasGroup =
      fchown(number, old.st_uid, old.st_gid) == 0 || fchown(number, uid_t.max, old.st_gid) == 0
    // With an access list, the group's bits are its mask, and mostly more than the group has.
    let hasList = copyAccessList(from: path, to: number)
    if !hasGroup || !hasList { mode = mode & 0o707 | (mode & 0o007) << 3 & mode }
    _ = fchmod(number, mode)
  }

  /// - Returns: false where the old file has a list which the new one could not be given.
  ///
  /// Source: acl(5), xattr(7).
  private static func copyAccessList(from path: UnixPath, to number: CInt) -> Bool {
    let attribute = "system.posix_acl_access"
    // The most that the kernel takes.
    var list = [UInt8](repeating: 0, count: 65_536)
    do throws(SystemCallError) {
      let size = try check("lgetxattr", path: path) { lgetxattr($0, attribute, &list, list.count) }
      return fsetxattr(number, attribute, list, size, 0) == 0
    } catch {
      // The list that the directory gives to new files is not the old file's.
      fremovexattr(number, attribute)
      return error.code.rawValue == ENODATA || error.code.rawValue == ENOTSUP
    }
  }
}
