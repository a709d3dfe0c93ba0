import CPlatform
import Glibc

/// Closes many descriptors regardless of their owners: for a process that was just forked.
///
/// Source: close_range(2).
public enum DescriptorRange {
  /// Closes the descriptors from `first` through `last`; those that are not open are passed over.
  ///
  /// Source: close_range(2).
  public static func close(from first: CInt, through last: CInt = .max) throws(SystemCallError) {
    let first = max(0, first)
    guard first <= last else { return }
    _ = try check("close_range") { platform_close_range(UInt32(first), UInt32(last), 0) }
  }

  /// Closes all from `first` on but these and one more; nothing is allocated.
  ///
  /// - Parameter numbers: in ascending order.
  /// - Parameter other: -1 for none.
  public static func close(
    from first: CInt, keeping numbers: UnsafeBufferPointer<CInt>, and other: CInt = -1
  ) throws(SystemCallError) {
    var first = max(0, first)
    var isOtherDue = other >= first && other < .max
    // The greatest of all numbers is no descriptor's, and has no next one.
    for number in numbers where number >= first && number < .max {
      if isOtherDue, other < number {
        isOtherDue = false
        try close(from: first, through: other - 1)
        first = other + 1
      }
      try close(from: first, through: number - 1)
      first = number + 1
    }
    if isOtherDue, other >= first {
      try close(from: first, through: other - 1)
      first = other + 1
    }
    try close(from: first)
  }

  /// The same for numbers in any order.
  public static func close(from first: CInt, keeping numbers: [CInt], and other: CInt = -1) throws(SystemCallError) {
    let failure = numbers.sorted().withUnsafeBufferPointer { numbers -> SystemCallError? in
      do throws(SystemCallError) {
        try close(from: first, keeping: numbers, and: other)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}
