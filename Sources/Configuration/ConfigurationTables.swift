import Settings
import TOML

/// The tables of all files, each found in one of them.
struct ConfigurationTables {
  private(set) var daemon: Setting?
  private(set) var defaults: Setting?
  /// In the order of the files, and of their text.
  private(set) var services: [Setting] = []

  private static let names = ["daemon", "defaults", "service"]
  static let elsewhere = [
    "[daemon]": DaemonSettings.keys.map(\.name), "[service.NAME] or [defaults]": ServiceSettings.keys.map(\.name),
  ]

  init(_ texts: [ConfigurationFiles.Text], problems: inout ProblemCollector) {
    var known: [[String]: Place] = [:]
    for text in texts {
      guard let root = problems.collect(try Self.parse(text)) else { continue }
      for entry in root.entries {
        let setting = Setting(
          file: text.file, path: [entry.key.name], position: entry.key.position, value: entry.value)
        switch setting.name {
        case "daemon": if Self.isNew(setting, &known, &problems) { daemon = setting }
        case "defaults": if Self.isNew(setting, &known, &problems) { defaults = setting }
        case "service":
          for service in problems.collect(try setting.members()) ?? [] where Self.isNew(service, &known, &problems) {
            services.append(service)
          }
        case let name:
          problems.add(
            at: setting.place, setting.problem(UnknownKey.message(name, among: Self.names, elsewhere: Self.elsewhere)))
        }
      }
    }
  }

  private static func parse(_ text: ConfigurationFiles.Text) throws(ConfigurationProblem) -> TOMLTable {
    do throws(TOMLError) { return try TOMLParser.parse(text.bytes) } catch {
      throw ConfigurationProblem(at: Place(file: text.file, error.position), message: error.message)
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
