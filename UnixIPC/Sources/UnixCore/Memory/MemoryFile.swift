import CPlatform
import Glibc

/// Files that exist in memory only and can be passed to other programs as descriptors.
public enum MemoryFile {
  /// Creates a file of zeroed bytes.
  ///
  /// - Parameter name: is shown in /proc/PID/maps only.
  /// - Parameter size: in bytes.
  ///
  /// Source: memfd_create(2).
  public static func create(name: String, size: Int) throws(SystemCallError) -> Descriptor {
    try create(name, size, flags: memoryFileCloseOnExec)
  }

  /// Creates a file of zeroed bytes that `makeReadOnly` can seal.
  ///
  /// - Parameter name: is shown in /proc/PID/maps only.
  /// - Parameter size: in bytes.
  ///
  /// Source: memfd_create(2), MFD_ALLOW_SEALING.
  @_spi(Begat) public static func createSealable(name: String, size: Int) throws(SystemCallError) -> Descriptor {
    try create(name, size, flags: memoryFileCloseOnExec | memoryFileAllowSealing)
  }

  /// Keeps every process from writing to a file from now on, and from changing its size: those that have mapped it for
  /// writing go on writing there.
  ///
  /// - Throws: `EINVAL` before Linux 5.1, `EPERM` for a file that cannot be sealed.
  ///
  /// Source: fcntl(2), F_SEAL_FUTURE_WRITE.
  @_spi(Begat) public static func makeReadOnly(_ file: borrowing Descriptor) throws(SystemCallError) {
    let number = file.number
    _ = try check("fcntl F_ADD_SEALS") { fcntl(number, addSeals, sealsAgainstResizing | sealAgainstWriting) }
  }

  private static func create(_ name: String, _ size: Int, flags: UInt32) throws(SystemCallError) -> Descriptor {
    let file = Descriptor(owning: try check("memfd_create", text: name) { platform_memfd_create($0, flags) })
    _ = try check("ftruncate", on: name) { ftruncate(file.number, size) }
    return file
  }

  /// Makes a file larger if it is smaller than this: the new bytes are zero, and mappings of the file remain as they are.
  ///
  /// - Parameter size: in bytes.
  ///
  /// Source: ftruncate(2).
  @_spi(Begat) public static func grow(_ file: borrowing Descriptor, to size: Int) throws(SystemCallError) {
    guard try MemoryFile.size(of: file) < size else { return }
    _ = try check("ftruncate") { ftruncate(file.number, size) }
  }

  /// The size of any open file, in bytes.
  ///
  /// Source: fstat(2).
  public static func size(of file: borrowing Descriptor) throws(SystemCallError) -> Int {
    Int(try FileMetadata(of: file).native.st_size)
  }
}
