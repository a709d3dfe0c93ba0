import Glibc
@_spi(Begat) import UnixCore

/// A line on standard error, for people.
enum Complaint {
  /// Writes it in printable ASCII, unless standard error would make this process wait.
  static func write(_ line: String) {
    try? StandardError.tryWrite(escaped(line.utf8, doublingBackslashes: false) + "\n")
  }
}

/// Standard output, for what a command answers.
enum StandardOutput {
  /// Writes all of it, or complains in the name of a command.
  static func write(_ text: String, of command: String) -> Bool {
    do throws(SystemCallError) {
      try StandardStreams.ensureOpen(failing: true)
      let bytes = Array(text.utf8)
      var written = 0
      while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count > 0 {
          written += count
        } else if errno == EAGAIN {
          // Another process may have made the open file so.
          Descriptor.withBorrowed(STDOUT_FILENO) { _ = $0.wait(for: .writable, until: .never) }
        } else if errno != EINTR {
          throw SystemCallError("write", on: "standard output", code: .init(rawValue: errno))
        }
      }
      return true
    } catch {
      Complaint.write("\(command): \(error)")
      return false
    }
  }
}
