/// Rows of cells for people to read.
package enum TextTable {
  /// Columns as wide as their longest cell, two spaces apart, none at the ends of lines.
  ///
  /// - Parameter right: the columns whose cells stand at the right, such as numbers.
  package static func aligned(_ rows: [[String]], indent: String = "", right: Set<Int> = []) -> String {
    let widths = widths(rows)
    var text = ""
    for row in rows {
      var line = indent
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += right.contains(column) ? padding + cell + "  " : cell + padding + "  "
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }

  /// The longest line that `aligned` would make, if its last cell were the longest of its column.
  package static func width(_ rows: [[String]]) -> Int {
    let widths = widths(rows)
    return widths.reduce(0, +) + 2 * max(0, widths.count - 1)
  }

  private static func widths(_ rows: [[String]]) -> [Int] {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column < widths.count { widths[column] = max(widths[column], cell.count) } else { widths.append(cell.count) }
      }
    }
    return widths
  }
}
