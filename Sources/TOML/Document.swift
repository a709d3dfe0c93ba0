/// The tables of a text, as far as it has been read.
///
/// Source: toml.io/en/v1.0.0, "Keys", "Table" and "Array of Tables".
struct DocumentBuilder {
  private let root = TableNode(position: TextPosition(line: 1, column: 1), origin: .header)
  private var current: TableNode
  /// Counts headers; dotted keys of one section may share tables.
  private var section = 0
  /// The parts of the current header.
  private(set) var depth = 0

  init() { current = root }

  func finished() -> TOMLTable { root.finished() }

  /// The table that receives the last part of a key of the current section.
  func table(for key: [TOMLKey]) throws(TOMLError) -> TableNode {
    try current.table(for: key, section: section)
  }

  /// `[a.b]`
  mutating func openTable(at path: [TOMLKey]) throws(TOMLError) {
    let (parent, key) = try parent(of: path)
    switch parent[key.name]?.item {
    case nil:
      current = TableNode(position: key.position, origin: .header)
      parent.add(key, .table(current))
    case .table(let table)? where table.origin == .longerHeader:
      table.open(by: key)
      current = table
    case let item?:
      throw DocumentFault.header(key, meets: item, setBy: parent[key.name]!.key)
    }
    begin(path)
  }

  /// `[[a.b]]`
  mutating func appendTable(at path: [TOMLKey]) throws(TOMLError) {
    let (parent, key) = try parent(of: path)
    current = TableNode(position: key.position, origin: .header)
    switch parent[key.name]?.item {
    case nil: parent.add(key, .tables(TableNode.TableList(first: current)))
    case .tables(let list)?: list.elements.append(current)
    case let item?: throw DocumentFault.doubleHeader(key, meets: item, setBy: parent[key.name]!.key)
    }
    begin(path)
  }

  private mutating func begin(_ path: [TOMLKey]) {
    section += 1
    depth = path.count
  }

  /// The table that a header's path leads to before its last part; in an array of tables, the latest one.
  private func parent(of path: [TOMLKey]) throws(TOMLError) -> (TableNode, TOMLKey) {
    var table = root
    for key in path.dropLast() {
      switch table[key.name]?.item {
      case nil:
        let child = TableNode(position: key.position, origin: .longerHeader)
        table.add(key, .table(child))
        table = child
      case .table(let child)?: table = child
      case .tables(let list)?: table = list.elements[list.elements.count - 1]
      case .value(let value)?: throw DocumentFault.path(key, meets: value, setBy: table[key.name]!.key)
      }
    }
    return (table, path[path.count - 1])
  }
}

extension TableNode {
  /// The table that receives the last part of a dotted key, which must be new there.
  func table(for key: [TOMLKey], section: Int) throws(TOMLError) -> TableNode {
    var table = self
    for part in key.dropLast() { table = try table.childForDottedKey(part, section: section) }
    let last = key[key.count - 1]
    if let (first, item) = table[last.name] { throw DocumentFault.key(last, meets: item, setBy: first) }
    return table
  }

  private func childForDottedKey(_ key: TOMLKey, section: Int) throws(TOMLError) -> TableNode {
    switch self[key.name]?.item {
    case nil:
      let child = TableNode(position: key.position, origin: .dottedKey(section: section))
      add(key, .table(child))
      return child
    case .table(let child)? where child.origin == .dottedKey(section: section):
      return child
    case .table(let child)? where child.origin == .longerHeader:
      child.origin = .dottedKey(section: section)
      return child
    case let item?:
      throw DocumentFault.dottedKey(key, meets: item, setBy: self[key.name]!.key)
    }
  }
}
