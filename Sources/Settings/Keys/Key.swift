/// A table of settings: a value type with a default for each key.
public protocol SettingsTable: Hashable, Sendable {
  /// The defaults.
  init()
  /// A table that has all defaults.
  static var standard: Self { get }
  static var keys: [Key<Self>] { get }
  static func key(named name: String) -> Key<Self>?
}

/// A key of a table: its name, its property, the syntax of its value, and when it has an effect.
///
/// Configuration files and command lines are read by the same keys, and options, help texts, the annotated
/// configuration and the manual are rendered from them.
public struct Key<Table: SettingsTable>: Sendable {
  /// As in a configuration file.  A key of a table within the table has both names: `fortune.offensive`.
  public let name: String
  /// One line without its full stop, for `--help` and the annotated configuration.
  public let help: String
  /// Sentences that only the manual has; empty for none.
  public let details: String

  // A listener needs few keys of a hundred at its start, and dozens of listeners start together: key paths, syntaxes and
  // conditions are made where they are asked for.
  private let makeConditions: @Sendable () -> [ServiceCondition]
  private let makeForm: @Sendable () -> ValueForm
  private let readValue: @Sendable (inout Table, RawValue) throws(ValueProblems) -> Void
  private let renderValue: @Sendable (Table) -> RawValue?
  private let isAtDefault: @Sendable (Table) -> Bool
  private let resetValue: @Sendable (inout Table) -> Void

  /// Inlined, so that nothing is generic where the tables of keys are made.
  @inline(__always)
  init<Value: Equatable & Sendable>(
    _ name: String, _ property: @autoclosure @escaping @Sendable () -> WritableKeyPath<Table, Value> & Sendable,
    _ syntax: @autoclosure @escaping @Sendable () -> Syntax<Value>, _ help: String,
    when conditions: @autoclosure @escaping @Sendable () -> [ServiceCondition] = [], details: String = ""
  ) {
    self.name = name
    self.help = help
    self.details = details
    makeConditions = conditions
    makeForm = { ValueForm(syntax()) }
    readValue = { table, raw throws(ValueProblems) in table[keyPath: property()] = try syntax().read(raw) }
    renderValue = { table in syntax().render(table[keyPath: property()]) }
    isAtDefault = { table in
      let property = property()
      return table[keyPath: property] == Table.standard[keyPath: property]
    }
    resetValue = { table in
      let property = property()
      table[keyPath: property] = Table.standard[keyPath: property]
    }
  }

  /// A key of a property that is nil unless it is set.
  @inline(__always)
  init<Value: Equatable & Sendable>(
    _ name: String, _ property: @autoclosure @escaping @Sendable () -> WritableKeyPath<Table, Value?> & Sendable,
    optional syntax: @autoclosure @escaping @Sendable () -> Syntax<Value>, _ help: String,
    when conditions: @autoclosure @escaping @Sendable () -> [ServiceCondition] = [], details: String = ""
  ) {
    self.init(name, property(), syntax().optional, help, when: conditions(), details: details)
  }

  private init<Inner>(lifting key: Key<Inner>, into property: WritableKeyPath<Table, Inner> & Sendable) {
    name = key.name
    help = key.help
    details = key.details
    makeConditions = key.makeConditions
    makeForm = key.makeForm
    readValue = { table, raw throws(ValueProblems) in try key.readValue(&table[keyPath: property], raw) }
    renderValue = { table in key.renderValue(table[keyPath: property]) }
    isAtDefault = { table in key.isAtDefault(table[keyPath: property]) }
    resetValue = { table in key.resetValue(&table[keyPath: property]) }
  }

  public var placeholder: String { makeForm().placeholder }
  public var expectation: String { makeForm().expectation }
  public var example: RawValue { makeForm().example }
  /// When the key has an effect; all of them must hold.
  public var conditions: [ServiceCondition] { makeConditions() }
  /// Whether an administrator names the members of its value, a table: `environment`.
  public var isOpenTable: Bool { if case .table = example { true } else { false } }
  /// Whether its value is a list, for which an option is repeated.
  public var isList: Bool { if case .list = example { true } else { false } }
  public var isBoolean: Bool { if case .boolean = example { true } else { false } }

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

/// The parts of a syntax that are the same for all types of values.
private struct ValueForm {
  let placeholder: String
  let expectation: String
  let example: RawValue

  init<Value>(_ syntax: Syntax<Value>) {
    placeholder = syntax.placeholder
    expectation = syntax.expectation
    example = syntax.example
  }
}
