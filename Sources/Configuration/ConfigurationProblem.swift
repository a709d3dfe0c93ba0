/// One thing that is wrong with the configuration, or worth a warning.
///
/// Its description is one line: `/etc/begat/begatd.toml:7: service.hello.backlog: expected …`.
public struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// Nil when the whole file is meant.
  public let line: Int?
  /// Known for syntax errors only.
  public let column: Int?
  /// The key with the tables around it.
  public let key: String?
  public let message: String

  public init(file: String, line: Int? = nil, column: Int? = nil, key: String? = nil, message: String) {
    self.file = file
    self.line = line
    self.column = column
    self.key = key
    self.message = message
  }

  public var description: String {
    var text = printable(file)
    if let line { text += ":\(line)" }
    if let column { text += ":\(column)" }
    if let key { text += ": \(key)" }
    return text + ": \(message)"
  }
}

/// Everything that is wrong with a configuration; never empty.
public struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
  public let problems: [ConfigurationProblem]

  /// One line for each problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers problems, each once, so that all are reported together.
struct ProblemCollector {
  private(set) var problems: [ConfigurationProblem] = []
  private var known: Set<ConfigurationProblem> = []

  mutating func add(_ problem: ConfigurationProblem) {
    if known.insert(problem).inserted { problems.append(problem) }
  }

  /// The value, or nil after its problem was noted.
  mutating func collect<Value>(_ read: @autoclosure () throws(ConfigurationProblem) -> Value) -> Value? {
    do throws(ConfigurationProblem) {
      return try read()
    } catch {
      add(error)
      return nil
    }
  }

  /// The settings of a table with their keys; those without a key are problems.
  mutating func entries<Key: TableKey>(of table: Setting?, _ type: Key.Type) -> [(key: Key, setting: Setting)] {
    guard let table, let members = collect(try table.members()) else { return [] }
    var entries: [(key: Key, setting: Setting)] = []
    for setting in members {
      if let key = collect(try Key(of: setting)) { entries.append((key, setting)) }
    }
    return entries
  }
}
