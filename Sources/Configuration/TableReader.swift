import Settings

/// The keys that a table mentions, right or wrong.
struct MentionedKeys {
  private(set) var settings: [String: Setting] = [:]
  /// Those whose value could not be read.
  private(set) var faulty: Set<String> = []

  subscript(name: String) -> Setting? { settings[name] }
  var names: Set<String> { Set(settings.keys) }

  fileprivate mutating func add(_ name: String, _ setting: Setting, isFaulty: Bool) {
    settings[name] = setting
    if isFaulty { faulty.insert(name) }
  }
}

/// Reads tables of a configuration by the keys of their settings.
struct TableReader<Table: SettingsTable> {
  /// Keys of other tables, by the table's name: what to say of one that stands in the wrong place.
  var elsewhere: [String: [String]] = [:]

  /// Sets what a table says, and notes everything that is wrong with it.
  func read(_ table: Setting?, into settings: inout Table, problems: inout ProblemCollector) -> MentionedKeys {
    var mentioned = MentionedKeys()
    guard let table else { return mentioned }
    read(table, prefix: "", into: &settings, &mentioned, problems: &problems)
    return mentioned
  }

  private func read(
    _ table: Setting, prefix: String, into settings: inout Table, _ mentioned: inout MentionedKeys,
    problems: inout ProblemCollector
  ) {
    for setting in problems.collect(try table.members()) ?? [] {
      let name = prefix + setting.name
      // A dot in a quoted name separates no table.
      if !setting.name.contains("."), let key = Table.key(named: name) {
        let isRead: Void? = problems.collect(of: setting, try key.read(setting.value.raw, into: &settings))
        mentioned.add(name, setting, isFaulty: isRead == nil)
      } else if Table.keys.contains(where: { $0.name.hasPrefix(name + ".") }) {
        read(setting, prefix: name + ".", into: &settings, &mentioned, problems: &problems)
      } else {
        problems.add(
          at: setting.place,
          setting.problem(UnknownKey.message(setting.name, among: names(in: prefix), elsewhere: elsewhere)))
      }
    }
  }

  /// Names that may stand in a table, those of tables within it included.
  private func names(in prefix: String) -> [String] {
    var names: [String] = []
    for key in Table.keys where key.name.hasPrefix(prefix) {
      let rest = key.name.dropFirst(prefix.count)
      names.append(String(rest))
      if let dot = rest.firstIndex(of: ".") { names.append(String(rest[..<dot])) }
    }
    return names
  }
}
