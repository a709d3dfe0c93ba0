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

  /// The parts on as few lines as there can be, with blanks between them; one that is longer than a line stays whole.
  package static func wrapped(_ parts: [String], width: Int) -> [String] {
    var lines: [String] = []
    for part in parts {
      if let last = lines.last, last.count + 1 + part.count <= width {
        lines[lines.count - 1] += " " + part
      } else {
        lines.append(part)
      }
    }
    return lines
  }

  /// Rows of a name and of parts that need several lines where the table is no wider than a page.
  package static func wrappingLast(_ rows: [(name: String, parts: [String])], width: Int) -> [[String]] {
    let indent = rows.reduce("SERVICE".count) { max($0, $1.name.count) } + 2
    return rows.flatMap { row in
      wrapped(row.parts, width: width - indent).enumerated().map { index, line in [index == 0 ? row.name : "", line] }
    }
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
