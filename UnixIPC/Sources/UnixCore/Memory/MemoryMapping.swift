import CPlatform
import Glibc

/// Memory that this value owns: it is unmapped when the value is discarded.
///
/// The bytes are lent to a closure, ``withBytes(_:)`` or ``withMutableBytes(_:)``, and the compiler keeps them from
/// leaving it: no pointer is left over when the memory is unmapped.
///
/// Source: mmap(2).
public struct MemoryMapping: ~Copyable, @unchecked Sendable {
  /// The memory, for as long as this value lives; the compiler does not see to that.
  @_spi(Begat) public let unsafeBytes: UnsafeMutableRawBufferPointer
  private var isWritable: Bool

  private init(_ bytes: UnsafeMutableRawBufferPointer, isWritable: Bool) {
    unsafeBytes = bytes
    self.isWritable = isWritable
  }

  deinit { munmap(unsafeBytes.baseAddress, unsafeBytes.count) }

  /// The size in bytes.
  public var count: Int { unsafeBytes.count }

  /// Lends the bytes for reading.
  ///
  /// Another process that has the memory may change them meanwhile.
  public func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result { try body(UnsafeRawBufferPointer(unsafeBytes).bytes) }

  /// Lends the bytes for writing.
  ///
  /// - Precondition: the memory is writable, as it is not after ``makeReadOnly()``.
  public mutating func withMutableBytes<Result: ~Copyable, Failure: Error>(
    _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(isWritable, "the memory is mapped for reading")
    var bytes = unsafeBytes.mutableBytes
    return try body(&bytes)
  }

  /// Maps zeroed memory.
  ///
  /// - Parameter size: in bytes, at least 1.
  /// - Parameter isInherited: whether forked processes share the memory.  If not, a fork does not copy it, and a child
  ///   that touches it dies by SIGSEGV.
  ///
  /// Source: mmap(2), MAP_SHARED; madvise(2), MADV_DONTFORK.
  public static func shared(size: Int, isInherited: Bool = true) throws(SystemCallError) -> MemoryMapping {
    try map(size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, isInherited: isInherited)
  }

  /// Maps zeroed memory that this process alone has: a fork does not copy it, and a child that touches it dies by SIGSEGV
  /// unless it has mapped something there.
  ///
  /// The kernel makes one mapping of those that are adjacent, which cost a fork no more than one.
  ///
  /// - Parameter size: in bytes, at least 1.
  /// - Throws: `ENOMEM`; `EINVAL` for a size below 1.
  ///
  /// Source: mmap(2), MAP_PRIVATE; madvise(2), MADV_DONTFORK.
  @_spi(Begat) public static func `private`(size: Int) throws(SystemCallError) -> MemoryMapping {
    let mapping = try map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, isInherited: false)
    // A table of which little is in use must not take pages of 2 MiB.  A kernel without them refuses the advice.
    madvise(mapping.unsafeBytes.baseAddress, size, MADV_NOHUGEPAGE)
    return mapping
  }

  /// Maps the contents of a file or of a memory file.
  ///
  /// A writable mapping is shared: every process that maps the file sees what is written.  Any other shows what is written
  /// elsewhere, and is private: even if its process makes it writable again (mprotect(2)), a write changes a copy.
  ///
  /// - Parameter descriptor: the open file, which may be closed afterwards.
  /// - Parameter size: in bytes, from the beginning of the file.
  /// - Parameter writable: whether the memory can be written to.
  /// - Parameter isInherited: whether forked processes have the memory too.  If not, a fork does not copy it, and a child
  ///   that touches it dies by SIGSEGV.
  public static func file(
    _ descriptor: borrowing Descriptor, size: Int, writable: Bool, isInherited: Bool = true
  ) throws(SystemCallError) -> MemoryMapping {
    // A shared mapping of a descriptor that was opened for writing could be made writable.
    try writable
      ? map(size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, isInherited: isInherited)
      : map(size, PROT_READ, MAP_PRIVATE, descriptor.number, isInherited: isInherited)
  }

  /// Maps a copy of bytes that forked processes share and that none of them can change for the others.
  ///
  /// A process that makes it writable writes to a copy of its own.
  ///
  /// - Parameter bytes: are copied.
  /// - Parameter name: is shown in /proc/PID/maps only.
  ///
  /// Source: memfd_create(2), mmap(2) MAP_PRIVATE.
  public static func constant(_ bytes: UnsafeRawBufferPointer, name: String) throws(SystemCallError) -> MemoryMapping {
    let file = try MemoryFile.create(name: name, size: bytes.count)
    do throws(SystemCallError) { try file.writeAll(bytes) } catch {
      throw SystemCallError(error.call, on: name, code: error.code)
    }
    return try MemoryMapping.file(file, size: bytes.count, writable: false)
  }

  private static func map(
    _ size: Int, _ protection: CInt, _ flags: CInt, _ number: CInt, isInherited: Bool
  ) throws(SystemCallError) -> MemoryMapping {
    guard size > 0, let start = mmap(nil, size, protection, flags, number, 0), start != MAP_FAILED else {
      throw SystemCallError("mmap", on: "\(size) bytes", code: size > 0 ? ErrorCode.current : .invalidArgument)
    }
    let mapping = MemoryMapping(
      UnsafeMutableRawBufferPointer(start: start, count: size), isWritable: protection & PROT_WRITE != 0)
    if !isInherited { _ = try check("madvise") { madvise(start, size, MADV_DONTFORK) } }
    return mapping
  }

  /// Makes the memory one for reading: the kernel ends a process that writes to it, by SIGSEGV.
  ///
  /// Source: mprotect(2).
  public mutating func makeReadOnly() throws(SystemCallError) {
    _ = try check("mprotect") { mprotect(unsafeBytes.baseAddress, unsafeBytes.count, PROT_READ) }
    isWritable = false
  }

  /// Discards the value after its memory was moved: nothing is unmapped.
  consuming func leaveToOther() { discard self }
}
