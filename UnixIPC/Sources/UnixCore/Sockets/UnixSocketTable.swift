import Glibc

/// The Unix sockets of this network namespace, as the kernel lists them.
///
/// Source: proc_net_unix(5).
enum UnixSocketTable {
  /// Whether a process listens at the path, or receives datagrams there.  Unlike connect(2), the server does not notice.
  ///
  /// False also where the table cannot be read, or the server is in another network namespace.
  static func hasServer(at path: String) -> Bool {
    guard let file = fopen("/proc/net/unix", "re") else { return false }
    defer { fclose(file) }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { room in
      while let line = fgets(room.baseAddress, CInt(room.count), file) {
        if isServer(String(cString: line), path) { return true }
      }
      return false
    }
  }

  /// Num: RefCount Protocol Flags Type St Inode Path
  private static func isServer(_ line: String, _ path: String) -> Bool {
    let fields = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
    guard fields.count == 8, fields[7].hasSuffix("\n"), fields[7].dropLast() == path else { return false }
    // __SO_ACCEPTCON: accepted connections have the listener's path too.
    let isListening = (UInt32(fields[3], radix: 16) ?? 0) & 0x10000 != 0
    return isListening || fields[4] == "0002"
  }
}
