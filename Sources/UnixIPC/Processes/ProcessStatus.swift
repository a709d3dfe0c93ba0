import Glibc

/// The kernel's line about a living process.
///
/// Source: proc_pid_stat(5).
struct ProcessStatus {
  let parent: pid_t
  let session: pid_t

  /// Nil for a process that has ended, fetched or not.
  init?(of process: pid_t) {
    guard let file = try? Descriptor.open("/proc/\(process)/stat", O_RDONLY) else { return nil }
    let numbers = withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room -> (pid_t, pid_t)? in
      guard let count = try? file.read(into: room) else { return nil }
      // NUMBER (NAME) STATE PARENT GROUP SESSION ...: the name may hold blanks and parentheses.
      guard let name = room[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
      let fields = room[(name + 1)..<count].split(separator: UInt8(ascii: " "))
      guard fields.count > 3, fields[0].first != UInt8(ascii: "Z"), fields[0].first != UInt8(ascii: "X"),
        let parent = pid_t(String(decoding: fields[1], as: UTF8.self)),
        let session = pid_t(String(decoding: fields[3], as: UTF8.self))
      else { return nil }
      return (parent, session)
    }
    guard let numbers else { return nil }
    (parent, session) = numbers
  }
}
