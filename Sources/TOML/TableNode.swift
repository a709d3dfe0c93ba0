/// A table that still grows.
final class TableNode {
  /// What made a table decides what may be added to it later.
  enum Origin: Equatable {
    /// A longer header, `[a.b]` for `a`: its own header may follow.
    case longerHeader
    /// Its own header, `[a]` or `[[a]]`.
    case header
    /// A dotted key, `a.b = 1` for `a`; more such keys may follow under the same header.
    case dottedKey(section: Int)
    /// Braces, which are complete.
    case braces
  }

  enum Item {
    case value(TOMLValue)
    case table(TableNode)
    case tables(TableList)
  }

  /// The tables that headers in double brackets make; never empty.
  final class TableList {
    let position: TextPosition
    var elements: [TableNode]

    init(first: TableNode) {
      position = first.position
      elements = [first]
    }
  }

  private(set) var position: TextPosition
  var origin: Origin
  private var entries: [(key: TOMLKey, item: Item)] = []
  private var index = NameIndex()

  init(position: TextPosition, origin: Origin) {
    self.position = position
    self.origin = origin
  }

  subscript(name: String) -> (key: TOMLKey, item: Item)? {
    index[name].map { entries[$0] }
  }

  /// Adds an entry whose name the table does not have yet.
  func add(_ key: TOMLKey, _ item: Item) {
    index.append(key.name)
    entries.append((key, item))
  }

  /// Its own header was found.
  func open(by key: TOMLKey) {
    position = key.position
    origin = .header
  }

  func finished() -> TOMLTable {
    let finishedEntries = entries.map { entry in
      let value =
        switch entry.item {
        case .value(let value): value
        case .table(let table): table.finishedValue()
        case .tables(let list):
          TOMLValue(position: list.position, content: .array(list.elements.map { $0.finishedValue() }))
        }
      return TOMLTable.Entry(key: entry.key, value: value)
    }
    return TOMLTable(entries: finishedEntries, index: index)
  }

  private func finishedValue() -> TOMLValue { TOMLValue(position: position, content: .table(finished())) }
}
