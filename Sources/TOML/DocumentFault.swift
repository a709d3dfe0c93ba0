/// Messages about keys and headers that meet what the text has said before.
enum DocumentFault {
  /// A key that is already there.
  static func key(_ key: TOMLKey, meets item: TableNode.Item, setBy first: TOMLKey) -> TOMLError {
    switch item {
    case .value: error(key, "is already set at \(place(first, from: key))")
    case .table(let table): error(key, "is already a table at \(table.position.reference(from: key.position.line))")
    case .tables(let list):
      error(key, "is already a list of tables at \(list.position.reference(from: key.position.line))")
    }
  }

  /// A part of a dotted key before its last one.
  static func dottedKey(_ key: TOMLKey, meets item: TableNode.Item, setBy first: TOMLKey) -> TOMLError {
    switch item {
    case .value(let value): path(key, meets: value, setBy: first)
    case .table(let table):
      error(key, "has its own header at \(table.position.reference(from: key.position.line)); write the key there")
    case .tables(let list):
      error(key, "is a list of tables at \(list.position.reference(from: key.position.line)); write the key there")
    }
  }

  /// A part of a path that leads into a value.
  static func path(_ key: TOMLKey, meets value: TOMLValue, setBy first: TOMLKey) -> TOMLError {
    switch value.content {
    case .table:
      error(key, "is a table in braces at \(place(first, from: key)), which is complete; write the key there")
    case .array: error(key, "is already set at \(place(first, from: key)), to an array; nothing can be added to it")
    default: error(key, "is already set at \(place(first, from: key)), and is no table")
    }
  }

  /// `[x]`
  static func header(_ key: TOMLKey, meets item: TableNode.Item, setBy first: TOMLKey) -> TOMLError {
    switch item {
    case .value: error(key, "is already set at \(place(first, from: key))")
    case .table(let table):
      TOMLError(
        position: key.position,
        message: "this table is already at \(table.position.reference(from: key.position.line)); write its keys there")
    case .tables(let list):
      error(
        key,
        "is a list of tables since \(list.position.reference(from: key.position.line)); "
          + "write [[...]] for one more, or another name"
      )
    }
  }

  /// `[[x]]`
  static func doubleHeader(_ key: TOMLKey, meets item: TableNode.Item, setBy first: TOMLKey) -> TOMLError {
    switch item {
    case .table(let table):
      error(
        key,
        "is a single table at \(table.position.reference(from: key.position.line)); "
          + "write [[...]] there too for a list of tables"
      )
    default: error(key, "is already set at \(place(first, from: key))")
    }
  }

  private static func place(_ first: TOMLKey, from key: TOMLKey) -> String {
    first.position.reference(from: key.position.line)
  }

  private static func error(_ key: TOMLKey, _ message: String) -> TOMLError {
    TOMLError(position: key.position, message: "\"\(printable(key.name.utf8))\" \(message)")
  }
}
