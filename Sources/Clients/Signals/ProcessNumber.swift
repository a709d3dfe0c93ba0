import Glibc

/// The numbers of processes as users write them.
public enum ProcessNumber {
  /// Reads a decimal number from 1 on; nil for anything else: to kill(2), 0 and negative numbers mean groups.
  public static func parse(_ text: String) -> pid_t? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return pid_t(text).flatMap { $0 > 0 ? $0 : nil }
  }
}
