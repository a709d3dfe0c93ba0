import CPlatform
import Glibc

/// Mappings side by side in a range of addresses of their own, so that one system call changes or gives up all of them.
///
/// It owns them: they are unmapped when the value is discarded.
@_spi(Begat) public struct MemoryRange: ~Copyable {
  private let bytes: UnsafeMutableRawBufferPointer
  private var used = 0

  /// Reserves addresses, which hold no memory yet.
  ///
  /// - Parameter sizes: those of the mappings that are to be taken, in bytes.  Until all of them are there, the range is
  ///   neither inherited nor given up.
  ///
  /// Source: mmap(2), PROT_NONE.
  public init(sizes: [Int]) throws(SystemCallError) {
    let size = sizes.reduce(0) { $0 + MemoryRange.wholePages($1) }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard size > 0, let start = mmap(nil, size, PROT_NONE, flags, -1, 0), start != MAP_FAILED else {
      throw SystemCallError("mmap", on: "\(size) bytes", code: size > 0 ? ErrorCode.current : .invalidArgument)
    }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
  }

  deinit { munmap(bytes.baseAddress, bytes.count) }

  /// Moves a mapping to the end of those that were taken before, with its contents; there must be room.
  ///
  /// - Returns: its bytes, for as long as this value lives.  Whether forked processes have them does not change.
  ///
  /// Source: mremap(2), MREMAP_FIXED.
  public mutating func take(
    _ mapping: consuming MemoryMapping
  ) throws(SystemCallError) -> UnsafeMutableRawBufferPointer {
    let count = mapping.count
    let size = MemoryRange.wholePages(count)
    precondition(size <= bytes.count - used, "no room in the range of addresses")
    let place = bytes.baseAddress! + used
    let old = mapping.unsafeBytes.baseAddress
    _ = try check("mremap") { platform_move_mapping(old, size, place) }
    mapping.leaveToOther()
    used += size
    return UnsafeMutableRawBufferPointer(start: place, count: count)
  }

  /// Sets whether processes that are forked from now on share the memory.
  ///
  /// Source: madvise(2), MADV_DOFORK, MADV_DONTFORK.
  public func setInherited(_ isInherited: Bool) throws(SystemCallError) {
    _ = try check("madvise") {
      madvise(bytes.baseAddress, bytes.count, isInherited ? MADV_DOFORK : MADV_DONTFORK)
    }
  }

  /// Gives the memory up in a forked process, which ends without discarding its values and touches the memory no more.
  /// This value may lie there.
  ///
  /// Source: munmap(2).
  public func unmapInCopy() throws(SystemCallError) {
    _ = try check("munmap") { munmap(bytes.baseAddress, bytes.count) }
  }

  private static func wholePages(_ size: Int) -> Int {
    let page = Int(sysconf(CInt(_SC_PAGESIZE)))
    return (size + page - 1) / page * page
  }
}
