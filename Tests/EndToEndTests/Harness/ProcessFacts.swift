import Foundation
import Glibc

/// What the kernel tells about a process.
///
/// Source: proc_pid_stat(5), proc_pid_cmdline(5), proc_pid_fd(5).
struct ProcessFacts {
  let process: pid_t
  let state: Character
  let parent: pid_t
  let session: pid_t
  /// Ticks of user and system time.
  let processorTicks: Int
  /// Page faults that read nothing from a disk.
  let pageFaults: Int
  /// With the number, what tells a process from a later one of the same number.
  let startTime: String

  init?(_ process: pid_t) {
    guard let text = ProcessFacts.read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else { return nil }
    // The fields after the name, which may hold blanks, begin with the third.
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 20, let state = fields[0].first, let parent = pid_t(fields[1]), let session = pid_t(fields[3]),
      let user = Int(fields[11]), let system = Int(fields[12]), let faults = Int(fields[7])
    else { return nil }
    self.process = process
    self.state = state
    self.parent = parent
    self.session = session
    processorTicks = user + system
    pageFaults = faults
    startTime = String(fields[19])
  }

  var isZombie: Bool { state == "Z" }
  var isStopped: Bool { state == "T" }
  var title: String { ProcessFacts.title(process) }
  /// Whether it waits for a client of its own.
  var isSpare: Bool { title.hasSuffix("(spare)") }

  /// Its arguments with blanks between, as ps shows them.
  static func title(_ process: pid_t) -> String {
    (read("/proc/\(process)/cmdline") ?? "").split(separator: "\0").joined(separator: " ")
      .trimmingCharacters(in: .whitespaces)
  }

  static var all: [ProcessFacts] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.compactMap { ProcessFacts($0) }
  }

  static func children(of process: pid_t) -> [ProcessFacts] { all.filter { $0.parent == process } }

  /// A process's children, their children and so on.
  static func descendants(of process: pid_t) -> [ProcessFacts] {
    let everybody = all
    var found: [ProcessFacts] = []
    var parents: Set<pid_t> = [process]
    while !parents.isEmpty {
      let children = everybody.filter { parents.contains($0.parent) }
      found += children
      parents = Set(children.map(\.process))
    }
    return found
  }

  /// The open descriptors and where they lead.
  static func descriptors(of process: pid_t) -> [Int: String] {
    let directory = "/proc/\(process)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    var descriptors: [Int: String] = [:]
    for name in names {
      guard let number = Int(name), let target = link("\(directory)/\(name)") else { continue }
      descriptors[number] = target
    }
    return descriptors
  }

  static func workingDirectory(of process: pid_t) -> String? { link("/proc/\(process)/cwd") }

  /// A line of /proc/PID/status, such as `Threads`.
  static func statusLine(_ name: String, of process: pid_t) -> String? {
    let lines = (read("/proc/\(process)/status") ?? "").split(separator: "\n")
    return lines.first { $0.hasPrefix("\(name):") }
      .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
  }

  /// Whether this very process, not a later one of its number, is still there, as a zombie or alive.
  var isThere: Bool { ProcessFacts(process)?.startTime == startTime }

  private static func read(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return String(decoding: text, as: UTF8.self) }
      text += chunk[..<count]
    }
  }

  private static func link(_ path: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: path)
  }
}
