/// A table of settings: a value type with a default for each key.
public protocol SettingsTable: Hashable, Sendable {
  /// The defaults.
  init()
  static var keys: [Key<Self>] { get }
}

/// A key of a table: its name, its property, the syntax of its value, and when it has an effect.
///
/// Configuration files and command lines are read by the same keys, and options, help texts, the annotated
/// configuration and the manual are rendered from them.
public struct Key<Table: SettingsTable>: Sendable {
  /// As in a configuration file.  A key of a table within the table has both names: `fortune.offensive`.
  public let name: String
  public let placeholder: String
  public let expectation: String
  /// One line without its full stop, for `--help` and the annotated configuration.
  public let help: String
  /// Sentences that only the manual has; empty for none.
  public let details: String
  /// When the key has an effect; all of them must hold.
  public let conditions: [ServiceCondition]
  /// Whether an administrator names the members of its value, a table: `environment`.
  public let isOpenTable: Bool
  /// Whether its value is a list, for which an option is repeated.
  public let isList: Bool
  public let isBoolean: Bool
  public let example: RawValue
  let readValue: @Sendable (inout Table, RawValue) throws(ValueProblems) -> Void
  let renderValue: @Sendable (Table) -> RawValue?
  let isAtDefault: @Sendable (Table) -> Bool
  let resetValue: @Sendable (inout Table) -> Void

  init<Value: Equatable & Sendable>(
    _ name: String, _ property: WritableKeyPath<Table, Value> & Sendable, _ syntax: Syntax<Value>, _ help: String,
    when conditions: [ServiceCondition] = [], details: String = ""
  ) {
    self.name = name
    self.help = help
    self.details = details
    self.conditions = conditions
    placeholder = syntax.placeholder
    expectation = syntax.expectation
    example = syntax.example
    if case .boolean = syntax.example { isBoolean = true } else { isBoolean = false }
    if case .table = syntax.example { isOpenTable = true } else { isOpenTable = false }
    if case .list = syntax.example { isList = true } else { isList = false }
    readValue = { table, raw throws(ValueProblems) in table[keyPath: property] = try syntax.read(raw) }
    renderValue = { table in syntax.render(table[keyPath: property]) }
    isAtDefault = { table in table[keyPath: property] == Table()[keyPath: property] }
    resetValue = { table in table[keyPath: property] = Table()[keyPath: property] }
  }

  /// A key of a property that is nil unless it is set.
  init<Value: Equatable & Sendable>(
    _ name: String, _ property: WritableKeyPath<Table, Value?> & Sendable, optional syntax: Syntax<Value>,
    _ help: String, when conditions: [ServiceCondition] = [], details: String = ""
  ) {
    self.init(name, property, syntax.optional, help, when: conditions, details: details)
  }

  private init<Inner>(lifting key: Key<Inner>, into property: WritableKeyPath<Table, Inner> & Sendable) {
    name = key.name
    placeholder = key.placeholder
    expectation = key.expectation
    help = key.help
    details = key.details
    conditions = key.conditions
    isOpenTable = key.isOpenTable
    isList = key.isList
    isBoolean = key.isBoolean
    example = key.example
    readValue = { table, raw throws(ValueProblems) in try key.readValue(&table[keyPath: property], raw) }
    renderValue = { table in key.renderValue(table[keyPath: property]) }
    isAtDefault = { table in key.isAtDefault(table[keyPath: property]) }
    resetValue = { table in key.resetValue(&table[keyPath: property]) }
  }

  /// The same key, of a table that has its table as a property.
  func lifted<Outer: SettingsTable>(into property: WritableKeyPath<Outer, Table> & Sendable) -> Key<Outer> {
    Key<Outer>(lifting: self, into: property)
  }

  /// Sets the property.
  ///
  /// - Throws: everything that is wrong with the value; the property is then unchanged.
  public func read(_ raw: RawValue, into table: inout Table) throws(ValueProblems) { try readValue(&table, raw) }

  /// The value that a table has; nil where it is unset, which cannot be written.
  public func value(in table: Table) -> RawValue? { renderValue(table) }

  public func isDefault(in table: Table) -> Bool { isAtDefault(table) }

  /// Gives the property its default.
  public func reset(in table: inout Table) { resetValue(&table) }

  /// The options that set the key to the value that a table has; none where that is the default.
  func options(for table: Table) -> [String] {
    guard !isAtDefault(table), let value = renderValue(table) else { return [] }
    if case .table(let members) = value {
      return members.flatMap { member in member.value.words.flatMap { ["--\(name).\(member.name)", $0] } }
    }
    return value.words.flatMap { ["--\(name)", $0] }
  }
}

extension SettingsTable {
  public static func key(named name: String) -> Key<Self>? { keys.first { $0.name == name } }
}
