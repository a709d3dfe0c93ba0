import Confinement
import Settings

/// How services are confined, for people: as most of them are, once, and then those that differ.
struct SandboxSummary {
  private let rows: [(service: String, parts: [String])]

  /// - Parameter support: what the kernel has to confine them with.
  init(_ services: [ServiceConfiguration], _ support: KernelSupport) {
    rows = services.map { ($0.name, $0.sandboxParts(support)) }
  }

  func text(width: Int) -> String {
    var counts: [[String]: Int] = [:]
    for row in rows { counts[row.parts, default: 0] += 1 }
    let most = counts.values.max()
    guard let common = rows.first(where: { counts[$0.parts] == most })?.parts else { return "" }
    var text = TextTable.wrapped(["sandbox:"] + common, width: width - 2).enumerated()
      .map { index, line in (index == 0 ? "" : "  ") + line + "\n" }.joined()
    let others = rows.filter { $0.parts != common }.map { (name: $0.service, parts: $0.parts) }
    if !others.isEmpty {
      let table = TextTable.wrappingLast(others, width: width)
      text += "\n" + TextTable.aligned([["SERVICE", "SANDBOX"]] + table)
    }
    return text
  }
}

extension ServiceConfiguration {
  /// The rights that its sandbox leaves it, in parts between which a line may end.
  fileprivate func sandboxParts(_ support: KernelSupport) -> [String] {
    guard settings.isConfined else {
      return ["unconfined", settings.program.allowSetUserID ? "(allow-set-user-id)" : "(sandbox off)"]
    }
    let isBuiltIn = builtIn != nil && settings.commands.isEmpty
    let parts = isBuiltIn ? builtInParts(support) : programParts(support)
    guard !parts.isEmpty else { return ["its user's rights alone"] }
    return parts.dropLast().map { $0 + "," } + parts.suffix(1)
  }

  private func builtInParts(_ support: KernelSupport) -> [String] {
    var parts: [String] = []
    if support.takesFilters { parts.append("the system calls that it needs") }
    if support.landlockVersion > 0 || support.takesFilters {
      parts.append(builtIn == .command ? "no file but the list of logins" : "no files")
    }
    if support.landlockVersion >= 4 || support.takesFilters { parts.append("no connections to others") }
    if support.landlockVersion >= 6 { parts.append("no signals to others") }
    return parts
  }

  private func programParts(_ support: KernelSupport) -> [String] {
    var parts: [String] = []
    if support.takesFilters { parts.append("all system calls but those that no service needs") }
    let program = settings.program
    if program.restrictsFiles, support.landlockVersion > 0 {
      if !program.readOnlyPaths.isEmpty { parts.append("reads " + Self.list(program.readOnlyPaths)) }
      if !program.readWritePaths.isEmpty { parts.append("changes " + Self.list(program.readWritePaths)) }
    }
    if program.network == .none, support.takesFilters { parts.append("no network") }
    return parts
  }

  private static func list(_ paths: [String]) -> String { paths.map { printable($0) }.joined(separator: " ") }
}
