import Glibc
@_spi(Begat) import UnixCore

/// Other configurations for a running begatd.
extension Daemon {
  /// Replaces the configuration, without telling begatd.
  func rewrite(_ configuration: String) throws {
    let new = try directory.write(configuration, to: "begatd.toml.new")
    guard rename(new, directory.path("begatd.toml")) == 0 else { throw HarnessFailure("rename: errno \(errno)") }
  }

  /// Puts a configuration in force, or has it refused, by SIGHUP.
  ///
  /// - Returns: begatd's line about it.
  @discardableResult
  func reload(_ configuration: String? = nil, within limit: Duration = .seconds(20)) throws -> String {
    if let configuration { try rewrite(configuration) }
    let count = reloads.count
    try program.send(.hangUp)
    guard eventually(within: limit, { reloads.count > count }), let line = reloads.last else {
      throw HarnessFailure("no reload within \(limit); the log:\n\(log.text)")
    }
    return line
  }

  /// The lines about reloads that have ended.
  var reloads: [String] { log.lines { $0.contains("begatd: reloaded in ") || $0.contains("begatd: reload refused") } }

  /// How many descriptors it has open.
  var descriptorCount: Int { ProcessFacts.descriptors(of: process).count }

  /// The listeners of a service that live, the oldest first.
  func generations(_ service: String) -> [pid_t] {
    ProcessFacts.children(of: process)
      .filter { $0.title.hasPrefix("begat-listener: \(service)") && !$0.isZombie }
      .sorted { UInt64($0.startTime) ?? 0 < UInt64($1.startTime) ?? 0 }.map(\.process)
  }
}

extension CollectedOutput {
  func lines(_ isWanted: (String) -> Bool) -> [String] { lines.filter(isWanted) }
}
