import Glibc

/// The Unix sockets of this network namespace, as the kernel lists them.
///
/// Source: proc_net_unix(5).
enum UnixSocketTable {
  /// Whether a process listens at the path, or receives datagrams there.  Unlike connect(2), the server does not notice.
  ///
  /// False also where the table cannot be read, or the server is in another network namespace.
  static func hasServer(at path: UnixPath) -> Bool {
    guard let file = fopen("/proc/net/unix", "re") else { return false }
    defer { fclose(file) }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { room in
      while let line = fgets(room.baseAddress, CInt(room.count), file) {
        if isServer(UnsafeRawBufferPointer(start: line, count: strlen(line)), path) { return true }
      }
      return false
    }
  }

  /// Num: RefCount Protocol Flags Type St Inode Path
  private static func isServer(_ line: UnsafeRawBufferPointer, _ path: UnixPath) -> Bool {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 7)
    guard fields.count == 8, fields[7].last == UInt8(ascii: "\n"), fields[7].dropLast().elementsEqual(path.bytes) else {
      return false
    }
    // __SO_ACCEPTCON: accepted connections have the listener's path too.
    let isListening = (UInt32(String(decoding: fields[3], as: UTF8.self), radix: 16) ?? 0) & 0x10000 != 0
    return isListening || fields[4].elementsEqual("0002".utf8)
  }
}
