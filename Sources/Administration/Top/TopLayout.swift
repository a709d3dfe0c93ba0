/// Where the rows of `begat top` are, and which of them are shown.
struct TopLayout {
  /// The first row of each table that is shown.
  var firstService = 0
  var firstConnection = 0
  /// How many rows each has room for.
  private(set) var serviceRows = 0
  private(set) var connectionRows = 0
  /// The widest that each column has been, so that columns stay where they are.
  var serviceWidths: [Int] = []
  var connectionWidths: [Int] = []
  /// How the connections are named, for which the widths hold.
  var naming = ConnectionTable.Naming.id
  /// The screen's columns, for which the widths hold.
  private var columns = 0

  func pageLength(_ focus: TopModel.Focus) -> Int { focus == .services ? serviceRows : connectionRows }

  /// Shares the screen out: services have at most half of it.
  mutating func share(rows: Int, columns: Int, services: Int) {
    if columns != self.columns { (serviceWidths, connectionWidths, self.columns) = ([], [], columns) }
    // A line about begatd, the titles of both tables, a line between them, and the last line.
    let room = rows - 5
    serviceRows = min(services, max(1, room / 2))
    if room < 4 { serviceRows = 0 }
    connectionRows = max(0, serviceRows == 0 ? rows - 3 : room - serviceRows)
  }

  /// The first row such that the selected one is shown, and no room is left at the end.
  static func first(_ first: Int, showing selected: Int?, of count: Int, in room: Int) -> Int {
    var first = first
    if let selected {
      if selected < first { first = selected }
      if selected >= first + room { first = selected - room + 1 }
    }
    return max(0, min(first, count - room))
  }
}
