/// The tables of all files, each found in one of them.
struct ConfigurationTables {
  private(set) var daemon: Setting?
  private(set) var defaults: Setting?
  /// In the order of the files, and of their lines.
  private(set) var services: [Setting] = []

  init(_ documents: [Document], problems: inout ProblemCollector) {
    var known: [[String]: Place] = [:]
    for document in documents {
      let root = Setting(document: document, path: [], value: document.root)
      for (key, setting) in problems.entries(of: root, RootKey.self) {
        switch key {
        case .daemon: if Self.isNew(setting, &known, &problems) { daemon = setting }
        case .defaults: if Self.isNew(setting, &known, &problems) { defaults = setting }
        case .service:
          for service in problems.collect(try setting.members()) ?? [] where Self.isNew(service, &known, &problems) {
            services.append(service)
          }
        }
      }
    }
  }

  /// Whether no file before had the table; else a problem that names both places.
  private static func isNew(
    _ table: Setting, _ known: inout [[String]: Place], _ problems: inout ProblemCollector
  ) -> Bool {
    guard let first = known[table.path] else {
      known[table.path] = table.place
      return true
    }
    problems.add(table.problem("this table is also at \(first)"))
    return false
  }
}
