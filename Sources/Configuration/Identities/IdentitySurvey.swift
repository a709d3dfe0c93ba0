import Glibc
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// The numbers of users and groups that a machine has.
public struct IdentitySurvey: Sendable {
  /// The numbers that can be a user's and a group's in this user namespace, ascending.
  let mapped: [ClosedRange<UInt32>]
  /// The names of the user and of the group that have this number; none if no database knows it.
  let entries: @Sendable (UInt32) -> [String]
  /// The users and groups of all processes.
  let running: @Sendable () -> Set<UInt32>

  init(
    mapped: [ClosedRange<UInt32>] = [0...UInt32.max],
    entries: @escaping @Sendable (UInt32) -> [String] = { _ in [] },
    running: @escaping @Sendable () -> Set<UInt32> = { [] }
  ) {
    self.mapped = mapped
    self.entries = entries
    self.running = running
  }

  /// A machine without users.
  public static let empty = IdentitySurvey()

  /// This machine.
  public static var current: IdentitySurvey {
    IdentitySurvey(
      mapped: IdentityMap.common(
        IdentityMap.ranges(inFile: "/proc/self/uid_map"), IdentityMap.ranges(inFile: "/proc/self/gid_map")),
      entries: { number in [Users.name(of: number), Users.groupName(of: number)].compactMap { $0 } },
      running: { runningIdentities() })
  }

  private static func runningIdentities() -> Set<UInt32> {
    var found: Set<UInt32> = []
    for process in (try? DirectoryListing.names(in: "/proc")) ?? [] where process.first?.isNumber ?? false {
      // A process that has ended has no file.
      found.formUnion(identities(inStatus: content(of: "/proc/\(process)/status") ?? ""))
    }
    return found
  }

  /// The numbers of users and groups in a process's status.
  ///
  /// Source: proc_pid_status(5).
  static func identities(inStatus text: String) -> Set<UInt32> {
    var found: Set<UInt32> = []
    // By bytes: a machine may have thousands of processes, and all of them are looked at before the first service starts.
    var rest = text.utf8[...]
    while !rest.isEmpty {
      let line = rest.prefix { $0 != UInt8(ascii: "\n") }
      rest = rest[line.endIndex...].dropFirst()
      guard let name = ["Uid:", "Gid:", "Groups:"].first(where: { line.starts(with: $0.utf8) }) else { continue }
      let words = line.dropFirst(name.utf8.count).split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      found.formUnion(words.compactMap { UInt32(decimal: Substring($0)) })
    }
    return found
  }

  /// The text of a file; nil if it cannot be read.
  fileprivate static func content(of path: String) -> String? {
    guard let bytes = try? Descriptor.open(UnixPath(path), .readOnly).readPrefix(1 << 20) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The numbers of users, or of groups, that exist in a user namespace.
///
/// Source: user_namespaces(7).
enum IdentityMap {
  /// Reads a map; where it cannot be read, every number exists, as on kernels without user namespaces.
  ///
  /// - Parameter path: `/proc/self/uid_map` or `gid_map`.
  static func ranges(inFile path: String) -> [ClosedRange<UInt32>] {
    IdentitySurvey.content(of: path).map { ranges(in: $0) } ?? [0...UInt32.max]
  }

  /// - Parameter text: of `/proc/self/uid_map` or `gid_map`; nothing is mapped by an empty one.
  static func ranges(in text: String) -> [ClosedRange<UInt32>] {
    text.split(separator: "\n").compactMap { line in
      let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { UInt32(decimal: $0) }
      guard numbers.count == 3, numbers[2] > 0 else { return nil }
      let (last, isTooHigh) = numbers[0].addingReportingOverflow(numbers[2] - 1)
      return numbers[0]...(isTooHigh ? .max : last)
    }.sorted { $0.lowerBound < $1.lowerBound }
  }

  /// The numbers that both have.
  static func common(_ first: [ClosedRange<UInt32>], _ second: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    first.flatMap { one in second.filter(one.overlaps).map(one.clamped) }
  }
}
