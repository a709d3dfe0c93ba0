/// Passes on what comes in any order in its own: each when it and all before it have come.
struct RowsInOrder<Row> {
  private var rows: [Row?]
  private var next = 0

  init(count: Int) { rows = Array(repeating: nil, count: count) }

  /// Those that can be shown now.
  mutating func put(_ row: Row, at index: Int) -> [Row] {
    rows[index] = row
    var shown: [Row] = []
    while next < rows.count, let row = rows[next] {
      shown.append(row)
      next += 1
    }
    return shown
  }

  /// The places that nothing has come for.
  var missing: [Int] { rows.indices.filter { rows[$0] == nil } }
}
