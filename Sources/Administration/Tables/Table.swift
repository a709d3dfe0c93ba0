@_spi(Begat) import UnixCore

/// Rows of cells, below titles, within the width of a terminal.
///
/// Columns are two blanks apart.  Cells are printable ASCII.
struct Table {
  let columns: [TableColumn]
  private(set) var rows: [[String]] = []

  init(_ columns: [TableColumn]) { self.columns = columns }

  /// The narrowest terminal that the table fits.
  var leastWidth: Int { TableFit(columns, rows, width: 1).total }

  /// Adds a row, whatever its texts contain.
  mutating func add(_ row: [String]) { rows.append(row.map(printableCell)) }

  /// The titles and the rows.
  ///
  /// - Parameter width: nil for as much as the cells need.
  func lines(_ width: Int?) -> [String] {
    let fit = TableFit(columns, rows, width: width)
    return [fit.titles] + rows.map(fit.line)
  }

  /// The same with an end to each line.
  func text(_ width: Int?) -> String { lines(width).reduce(into: "") { $0 += $1 + "\n" } }
}

/// Which columns of a table are shown, and in how many characters each.
struct TableFit {
  /// The place of a column that is shown, and its width.
  struct Shown: Hashable {
    let index: Int
    let column: TableColumn
    var width: Int
  }

  private(set) var shown: [Shown]

  private static let gap = 2

  /// - Parameter widths: at least this wide is each column, as long as there is room: so columns stay where they are when
  ///   their rows change.
  init(_ columns: [TableColumn], _ rows: [[String]], width: Int?, atLeast widths: [Int] = []) {
    shown = columns.enumerated().map { index, column in
      let least = max(column.title.utf8.count, index < widths.count ? widths[index] : 0)
      return Shown(index: index, column: column, width: rows.reduce(least) { max($0, $1[index].utf8.count) })
    }
    if let width { fit(width) }
  }

  /// Leaves columns out until the others fit when they are cut, then cuts the widest ones.
  private mutating func fit(_ width: Int) {
    while total({ $0.column.minimum($0.width) }) > width, let last = expendable { shown.remove(at: last) }
    var excess = total({ $0.width }) - width
    while excess > 0, let widest = cuttable {
      shown[widest].width -= 1
      excess -= 1
    }
  }

  /// The characters of its longest line, if its last cell is the longest of its column.
  var total: Int { total { $0.width } }

  private func total(_ width: (Shown) -> Int) -> Int {
    shown.reduce(TableFit.gap * max(0, shown.count - 1)) { $0 + width($1) }
  }

  private var expendable: Int? {
    let ranked = shown.indices.filter { shown[$0].column.rank != nil }
    return ranked.max { (shown[$0].column.rank ?? 0) < (shown[$1].column.rank ?? 0) }
  }

  private var cuttable: Int? {
    shown.indices.filter { shown[$0].width > shown[$0].column.minimum(shown[$0].width) }
      .max { shown[$0].width < shown[$1].width }
  }

  /// The width of each column of the table, 0 for those that are left out.
  func widths(of count: Int) -> [Int] {
    var widths = [Int](repeating: 0, count: count)
    for shown in shown { widths[shown.index] = shown.width }
    return widths
  }

  var titles: String { text { $0.column.title } }

  /// A row, without blanks at its end.
  func line(_ row: [String]) -> String { text { row[$0.index] } }

  /// The titles, each with the blanks before it and the index of its column.
  var titleParts: [(column: Int, text: String)] {
    shown.indices.map { place in
      var part: [UInt8] = []
      append(shown[place].column.title, at: place, to: &part)
      return (shown[place].index, String(decoding: part, as: UTF8.self))
    }
  }

  private func text(_ cell: (Shown) -> String) -> String {
    // As bytes, because there may be thousands of rows.
    var line: [UInt8] = []
    line.reserveCapacity(total)
    for place in shown.indices { append(cell(shown[place]), at: place, to: &line) }
    while line.last == UInt8(ascii: " ") { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }

  private func append(_ cell: String, at place: Int, to line: inout [UInt8]) {
    if place > 0 { line.append(contentsOf: repeatElement(UInt8(ascii: " "), count: TableFit.gap)) }
    shown[place].column.append(cell, width: shown[place].width, to: &line)
  }
}

/// A text of another process in printable ASCII, on one line.
func printableCell(_ text: String) -> String {
  text.utf8.allSatisfy { (0x20...0x7e).contains($0) } ? text : escaped(text.utf8, doublingBackslashes: false)
}
