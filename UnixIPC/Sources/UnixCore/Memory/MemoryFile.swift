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

  /// Creates a file of zeroed bytes that other processes cannot make smaller: memory that is mapped remains there.
  /// `makeReadOnly` and `keepSize` seal it further.
  ///
  /// - Parameter name: is shown in /proc/PID/maps only.
  /// - Parameter size: in bytes.
  ///
  /// Source: memfd_create(2), MFD_ALLOW_SEALING; fcntl(2), F_SEAL_SHRINK.
  @_spi(Begat) public static func createSealable(name: String, size: Int) throws(SystemCallError) -> Descriptor {
    let file = try create(name, size, flags: memoryFileCloseOnExec | memoryFileAllowSealing)
    try seal(file, sealAgainstShrinking)
    return file
  }

  /// Keeps every process from writing to a file from now on, and from changing its size: those that have mapped it for
  /// writing go on writing there.
  ///
  /// - Throws: `EINVAL` before Linux 5.1, `EPERM` for a file that cannot be sealed.
  ///
  /// Source: fcntl(2), F_SEAL_FUTURE_WRITE.
  @_spi(Begat) public static func makeReadOnly(_ file: borrowing Descriptor) throws(SystemCallError) {
    try seal(file, sealAgainstShrinking | sealAgainstGrowing | sealAgainstWriting)
  }

  /// Keeps every process from changing a file's size from now on, and from sealing it further: it can be written to
  /// forever.
  ///
  /// Source: fcntl(2), F_SEAL_SEAL.
  @_spi(Begat) public static func keepSize(of file: borrowing Descriptor) throws(SystemCallError) {
    try seal(file, sealAgainstShrinking | sealAgainstGrowing | sealAgainstSeals)
  }

  private static func seal(_ file: borrowing Descriptor, _ seals: CInt) throws(SystemCallError) {
    let number = file.number
    _ = try check("fcntl F_ADD_SEALS") { fcntl(number, addSeals, seals) }
  }

  /// Opens a memory file again, for reading alone: a process that gets this descriptor cannot write by it, nor map the file
  /// for writing.  Processes of other users cannot open it for writing by way of /proc either.
  ///
  /// Source: memfd_create(2), proc_pid_fd(5), fchmod(2).
  @_spi(Begat) public static func reopenForReading(_ file: borrowing Descriptor) throws(SystemCallError) -> Descriptor {
    let number = file.number
    _ = try check("fchmod", on: "memory file") { fchmod(number, 0o400) }
    return try Descriptor.open("/proc/self/fd/\(number)", .readOnly)
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
