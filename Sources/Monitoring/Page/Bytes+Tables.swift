/// Tables of a page: where it is narrow a row is shown as a card, and each cell with the name of its column.
extension [UInt8] {
  /// A section with a table.
  ///
  /// - Parameter columns: their names; those of numbers begin with `#`, which is not shown.
  /// - Parameter style: a class of the style sheet.
  mutating func append(
    table title: StaticString, _ columns: [StaticString], style: StaticString = "", rows: (inout [UInt8]) -> Void
  ) {
    append("<section>\n<h2>")
    append(title)
    append("</h2>\n<table class=\"")
    append(style)
    append("\">\n<thead><tr>")
    for column in columns {
      append(Self.isNumber(column) ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">")
      append(name: column)
      append("</th>")
    }
    append("</tr></thead>\n<tbody>\n")
    rows(&self)
    append("</tbody>\n</table>\n</section>\n")
  }

  /// The cell that begins a row and names its subject.
  ///
  /// - Parameter rows: how many rows it is for.
  mutating func append(rowHead: (inout [UInt8]) -> Void, rows: Int = 1) {
    append("<tr><th scope=\"row\"")
    if rows > 1 {
      append(" rowspan=\"")
      append(decimal: rows)
      append("\"")
    }
    append(">")
    rowHead(&self)
    append("</th>")
  }

  /// A cell.
  ///
  /// - Parameter column: the name of its column.
  mutating func append(cell column: StaticString, _ content: (inout [UInt8]) -> Void) {
    append(Self.isNumber(column) ? "<td class=\"n\" data-c=\"" : "<td data-c=\"")
    append(name: column)
    append("\">")
    content(&self)
    append("</td>")
  }

  mutating func append(cell column: StaticString, count: UInt64) {
    append(cell: column) { $0.append(count: count) }
  }

  /// A section with a sentence instead of a table.
  mutating func append(section title: StaticString, _ sentence: StaticString) {
    append("<section>\n<h2>")
    append(title)
    append("</h2>\n<p class=\"none\">")
    append(sentence)
    append("</p>\n</section>\n")
  }

  private static func isNumber(_ column: StaticString) -> Bool {
    column.utf8CodeUnitCount > 0 && column.utf8Start.pointee == UInt8(ascii: "#")
  }

  private mutating func append(name column: StaticString) {
    let name = UnsafeBufferPointer(start: column.utf8Start, count: column.utf8CodeUnitCount)
    append(contentsOf: name.dropFirst(Self.isNumber(column) ? 1 : 0))
  }
}
