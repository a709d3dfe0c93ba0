import Glibc

/// The kernel's line about a living process.
///
/// Source: proc_pid_stat(5).
package struct ProcessStatus {
  let parent: pid_t
  package let session: pid_t
  /// Clock ticks from the machine's start to the process's: with its number, what tells it from a later one.
  let startTime: UInt64

  /// Nil for a process that has ended, reaped or not: one of which no thread runs, as a `ProcessHandle` sees it.
  package init?(of process: pid_t) {
    guard let file = try? Descriptor.open("/proc/\(process)/stat", .readOnly) else { return nil }
    let status = withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { room -> ProcessStatus? in
      guard let count = try? file.read(into: room) else { return nil }
      return ProcessStatus(parsing: UnsafeRawBufferPointer(rebasing: room[..<count]))
    }
    guard let status else { return nil }
    self = status
  }

  /// Takes it out of `NUMBER (NAME) STATE PARENT GROUP SESSION ...`, where the name may hold blanks and parentheses.
  private init?(parsing line: UnsafeRawBufferPointer) {
    guard let name = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    // From the third of the manual page on, as far as the 22nd is wanted.
    let fields = line[(name + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 20)
    func number<Number: FixedWidthInteger>(_ place: Int) -> Number? {
      place < fields.count ? Number(String(decoding: fields[place], as: UTF8.self)) : nil
    }
    guard let state = fields.first?.first, let parent: pid_t = number(1), let session: pid_t = number(3),
      let threads: Int = number(17), let startTime: UInt64 = number(19)
    else { return nil }
    // The state is the first thread's, which may end before others.
    let isRunning = state != UInt8(ascii: "Z") && state != UInt8(ascii: "X") || threads > 1
    guard isRunning else { return nil }
    self.parent = parent
    self.session = session
    self.startTime = startTime
  }
}
