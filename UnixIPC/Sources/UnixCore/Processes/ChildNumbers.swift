import Glibc

/// The numbers of all children of the calling process, ended ones included, as /proc shows them.
///
/// Source: proc_tid_children(5).
enum ChildNumbers {
  /// None where there is no /proc.
  static func all() -> [pid_t] {
    var children: [pid_t] = []
    for thread in NumberedEntries.of("/proc/self/task") ?? [] {
      guard let file = try? Descriptor.open("/proc/self/task/\(thread)/children", .readOnly),
        let text = try? file.readPrefix(1 << 24)
      else { continue }
      children += text.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }
    return children
  }
}
