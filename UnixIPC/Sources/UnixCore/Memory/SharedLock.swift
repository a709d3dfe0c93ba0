import CPlatform

/// A lock in memory that several processes map: one of them at a time has it.
///
/// When a process dies with it, the kernel gives it back, and the next one is told.  It may be taken in processes made
/// by `ForkedProcess.fork`; a thread has one such lock at a time.
///
/// Source: set_robust_list(2), futex(2).
@_spi(Begat) public struct SharedLock: @unchecked Sendable {
  /// What the lock takes up, in bytes; its place is aligned to 8.
  public static let size = MemoryLayout<platform_lock>.size

  private let native: UnsafeMutablePointer<platform_lock>

  /// - Parameter place: `size` bytes, zeroed before the first process uses them, at the same address in all of them.
  public init(at place: UnsafeMutableRawPointer) {
    native = place.bindMemory(to: platform_lock.self, capacity: 1)
  }

  /// Runs `body` while no other process does.
  ///
  /// - Parameter body: is told whether the last one that had the lock died with it: what it guards may be half written.
  public func withLock<Result>(_ body: (_ isAbandoned: Bool) -> Result) -> Result {
    let isAbandoned = platform_lock_take(native)
    defer { platform_lock_give_back(native) }
    return body(isAbandoned)
  }
}
