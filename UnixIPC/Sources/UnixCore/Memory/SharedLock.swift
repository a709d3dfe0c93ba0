import CPlatform

/// A lock in memory that several processes map: one of them holds it at a time.
///
/// When a process dies with the lock, the kernel gives it back, and its next holder is told.  Processes made by
/// `ForkedProcess.fork` may take it.  A thread holds one such lock at a time.
///
/// Source: set_robust_list(2), futex(2).
@_spi(Begat) public struct SharedLock: @unchecked Sendable {
  /// The size of a lock in bytes; its place is aligned to 8.
  public static let size = MemoryLayout<platform_lock>.size

  private let native: UnsafeMutablePointer<platform_lock>

  /// - Parameter place: `size` bytes, zeroed before the first process uses them, at the same address in all of them.
  public init(at place: UnsafeMutableRawPointer) {
    native = place.bindMemory(to: platform_lock.self, capacity: 1)
  }

  /// Runs `body` while no other process does.
  ///
  /// - Parameter body: gets whether the last holder died with the lock: what the lock guards may be half written.
  /// - Precondition: the calling thread holds no such lock.
  public func withLock<Result>(_ body: (_ isAbandoned: Bool) -> Result) -> Result {
    let result = platform_lock_take(native)
    // It would wait for itself forever.
    precondition(result >= 0, "this thread holds a SharedLock already")
    defer { platform_lock_give_back(native) }
    return body(result == 1)
  }
}
