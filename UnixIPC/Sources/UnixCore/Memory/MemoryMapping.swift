import CPlatform
import Glibc

/// A piece of memory of its own, unmapped with its owner.
///
/// Source: mmap(2).
public struct MemoryMapping: ~Copyable, @unchecked Sendable {
  public let bytes: UnsafeMutableRawBufferPointer

  private init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  deinit { munmap(bytes.baseAddress, bytes.count) }

  /// Zeroed memory that forked processes share.
  public static func shared(size: Int) throws(SystemCallError) -> MemoryMapping {
    try map(size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1)
  }

  /// Zeroed memory that forked processes do not have: a fork neither copies it nor can the child reach it.
  ///
  /// Source: madvise(2), MADV_DONTFORK.
  public static func keptFromChildren(size: Int) throws(SystemCallError) -> MemoryMapping {
    let mapping = try shared(size: size)
    _ = try check("madvise") { madvise(mapping.bytes.baseAddress, mapping.bytes.count, MADV_DONTFORK) }
    return mapping
  }

  /// The contents of a file or memory object.
  ///
  /// A writable mapping is shared: whoever else maps the object sees what is written.  Any other shows what is written
  /// elsewhere, and is private: even where its process makes it writable again (mprotect(2)), a write changes a copy of
  /// its own.
  public static func file(_ descriptor: borrowing Descriptor, size: Int, writable: Bool) throws(SystemCallError)
    -> MemoryMapping
  {
    // A shared mapping of a descriptor that was opened for writing could be made writable.
    try writable
      ? map(size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number)
      : map(size, PROT_READ, MAP_PRIVATE, descriptor.number)
  }

  /// A copy of the bytes that forked processes share and that none of them can change for the others: what one of them
  /// makes writable and writes is a copy of its own.
  ///
  /// - Parameter name: shown in /proc/PID/maps only.
  ///
  /// Source: memfd_create(2), mmap(2) MAP_PRIVATE.
  public static func constant(_ bytes: UnsafeRawBufferPointer, name: String) throws(SystemCallError) -> MemoryMapping {
    let file = try MemoryFile.create(name: name, size: bytes.count)
    do throws(SystemCallError) { try file.writeAll(bytes) } catch {
      throw SystemCallError("write", on: name, code: error.code)
    }
    return try MemoryMapping.file(file, size: bytes.count, writable: false)
  }

  private static func map(_ size: Int, _ protection: CInt, _ flags: CInt, _ number: CInt) throws(SystemCallError)
    -> MemoryMapping
  {
    guard size > 0, let start = mmap(nil, size, protection, flags, number, 0), start != MAP_FAILED else {
      throw SystemCallError("mmap", on: "\(size) bytes", code: size > 0 ? ErrorCode.current : .invalidArgument)
    }
    return MemoryMapping(UnsafeMutableRawBufferPointer(start: start, count: size))
  }

  /// Makes any further write to it a crash of the writer.
  public func makeReadOnly() throws(SystemCallError) {
    _ = try check("mprotect") { mprotect(bytes.baseAddress, bytes.count, PROT_READ) }
  }
}

/// The heap of the calling process.
@_spi(Begat) public enum Heap {
  /// Tidies up before forks: what is free is merged or given back here once, not in every child.
  ///
  /// Source: malloc_trim(3).
  public static func trim() { platform_trim_heap() }

  /// Lets the kernel fill memory that is about to be written in pieces of 2 MiB, where it has such: a hundred times fewer
  /// page faults.
  ///
  /// Source: madvise(2), MADV_HUGEPAGE.
  static func useLargePages(_ memory: UnsafeMutableRawBufferPointer) {
    guard let start = memory.baseAddress else { return }
    let size = Int(sysconf(CInt(_SC_PAGESIZE)))
    let first = (Int(bitPattern: start) + size - 1) / size * size
    let end = (Int(bitPattern: start) + memory.count) / size * size
    // Advice only: that a kernel has none of it is no failure.
    if end > first { madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_HUGEPAGE) }
  }

  /// Moves what the process has written so far, its stack apart, into a file in memory that is mapped privately in its
  /// place.
  ///
  /// Forks then copy no page tables for it, and thousands of living children share pages of a file instead of anonymous
  /// ones, which the kernel's walks from a page to its users find one by one.
  public static func settle() throws(SystemCallError) {
    _ = try check("memfd_create") { platform_move_memory_to_file() }
  }
}

/// A file that exists in memory only and can be handed to other programs as a descriptor.
public enum MemoryFile {
  /// Creates one of `size` zeroed bytes.
  ///
  /// - Parameter name: shown in /proc/PID/maps only.
  ///
  /// Source: memfd_create(2).
  public static func create(name: String, size: Int) throws(SystemCallError) -> Descriptor {
    let file = Descriptor(
      owning: try check("memfd_create", text: name) { platform_memfd_create($0, memoryFileCloseOnExec) })
    _ = try check("ftruncate", on: name) { ftruncate(file.number, size) }
    return file
  }

  /// The size of any open file, in bytes.
  ///
  /// Source: fstat(2).
  public static func size(of file: borrowing Descriptor) throws(SystemCallError) -> Int {
    var facts = stat()
    _ = try check("fstat") { fstat(file.number, &facts) }
    return facts.st_size
  }
}
