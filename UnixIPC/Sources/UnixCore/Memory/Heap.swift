import CPlatform
import Glibc

/// The heap of the calling process.
@_spi(Begat) public enum Heap {
  /// Tidies up before forks: free memory is merged or returned here once, not in every child.
  ///
  /// Source: malloc_trim(3).
  public static func trim() { platform_trim_heap() }

  /// Lets the kernel fill memory that is about to be written in pieces of 2 MiB, if it has such: a hundred times fewer
  /// page faults.
  ///
  /// Source: madvise(2), MADV_HUGEPAGE.
  static func useLargePages(_ memory: UnsafeMutableRawBufferPointer) {
    guard let start = memory.baseAddress else { return }
    let size = Int(sysconf(CInt(_SC_PAGESIZE)))
    let first = (Int(bitPattern: start) + size - 1) / size * size
    let end = (Int(bitPattern: start) + memory.count) / size * size
    // This is advice: a kernel without large pages is no failure.
    if end > first { madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_HUGEPAGE) }
  }
}
