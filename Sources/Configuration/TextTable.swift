/// Rows of cells for people to read.
enum TextTable {
  /// Columns as wide as their longest cell, two spaces apart, none at the ends of lines.
  static func aligned(_ rows: [[String]], indent: String = "") -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column < widths.count { widths[column] = max(widths[column], cell.count) } else { widths.append(cell.count) }
      }
    }
    var text = ""
    for row in rows {
      var line = indent
      for (cell, width) in zip(row, widths) { line += cell + String(repeating: " ", count: width - cell.count + 2) }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
