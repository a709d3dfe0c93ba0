import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// What a thread of another process does at the moment, as far as /proc tells this user.
///
/// Source: proc(5), /proc/PID/task/TID/syscall, wchan, stat.
enum ThreadActivity: Int, Comparable {
  /// Sleeps in something else.
  case sleeps
  /// Will go on as soon as it gets a processor.
  case runs
  /// Sleeps in a read of one of the descriptors.
  case reads

  init?(of thread: CInt, in process: pid_t, reading descriptors: [CInt]) {
    let place = "/proc/\(process)/task/\(thread)"
    guard let state = ThreadActivity.state(place) else { return nil }
    if let call = ThreadActivity.text("\(place)/syscall"), !call.isEmpty {
      self = ThreadActivity(call: call, state, descriptors)
    } else if state != "S" {
      self = .runs
    } else {
      // Reading `syscall` needs ptrace access, which security modules grant less often than access to `wchan`.
      // Where that is hidden too, it is 0, and any sleep has to do.
      let place = ThreadActivity.text("\(place)/wchan") ?? "0"
      self = place == "0" || place.contains("pipe_read") ? .reads : .sleeps
    }
  }

  private init(call: String, _ state: Character, _ descriptors: [CInt]) {
    let words = call.split(whereSeparator: \.isWhitespace)
    if words.count > 1, state == "S", let number = Int(words[0]), platform_is_read_call(number) != 0,
      let first = CInt(words[1].dropFirst(2), radix: 16), descriptors.contains(first)
    {
      self = .reads
    } else {
      self = call.hasPrefix("running") || state != "S" ? .runs : .sleeps
    }
  }

  static func < (one: ThreadActivity, other: ThreadActivity) -> Bool { one.rawValue < other.rawValue }

  /// Nil for one that has ended or is stopped, and cannot read.
  private static func state(_ place: String) -> Character? {
    // NUMBER (NAME) STATE ...: the name may hold parentheses.
    guard let stat = text("\(place)/stat"), let name = stat.lastIndex(of: ")") else { return nil }
    let state = stat[stat.index(after: name)...].first { $0 != " " }
    return state.flatMap { "ZXtT".contains($0) ? nil : $0 }
  }

  private static func text(_ path: String) -> String? {
    guard let file = try? Descriptor.open(path, .readOnly) else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
      guard let count = try? file.read(into: room) else { return nil }
      return String(decoding: room[..<count], as: UTF8.self)
    }
  }
}
