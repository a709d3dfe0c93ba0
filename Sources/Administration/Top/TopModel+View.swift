import Control
import Monitoring
import UnixIPC

extension TopModel {
  mutating func lines(_ size: TerminalSize) -> [ScreenLine] {
    let (rows, columns) = (Int(size.rows), Int(size.columns))
    let services = status?.services ?? []
    layout.share(rows: rows, columns: columns, services: services.count)
    var lines = [ScreenLine(summary(columns), .bold)]
    if layout.serviceRows > 0 { lines += serviceLines(services, columns) + [ScreenLine()] }
    lines += connectionLines(columns)
    while lines.count < rows - 1 { lines.append(ScreenLine()) }
    return lines.prefix(max(0, rows - 1)) + [lastLine(columns)]
  }

  private func summary(_ columns: Int) -> String {
    guard let status else { return "begat top" }
    let services = status.services
    let open = services.reduce(0) { $0 &+ $1.active }
    let rate = services.reduce(0) { $0 + $1.rates.second }
    let refused = services.reduce(0) { $0 &+ ServiceTable.sum($1.refused) }
    var parts =
      status.daemon.map { ["begatd \($0.version)", $0.state.rawValue, "up \(ColumnText.age($0.age))"] } ?? ["begat top"]
    parts += [
      "\(services.count) service\(services.count == 1 ? "" : "s")", "\(open) open", "\(ColumnText.rate(rate))/s",
      "\(refused) refused",
    ]
    return parts.joined(separator: "  ")
  }

  private mutating func serviceLines(_ services: [ServiceStatus], _ columns: Int) -> [ScreenLine] {
    let selected = focus == .services ? services.firstIndex { $0.name == selectedService } : nil
    layout.firstService = TopLayout.first(
      layout.firstService, showing: selected, of: services.count, in: layout.serviceRows)
    let shown = Array(services[layout.firstService...].prefix(layout.serviceRows))
    // The widths of all, which are few.
    let table = ServiceTable.table(services, isShort: true)
    let fit = TableFit(table.columns, table.rows, width: columns, atLeast: layout.serviceWidths)
    layout.serviceWidths = fit.widths(of: table.columns.count)
    var lines = [bar(fit, columns, of: .services)]
    for (index, service) in shown.enumerated() {
      let row = table.rows[layout.firstService + index]
      lines.append(line(fit.line(row), columns, isSelected: focus == .services && service.name == selectedService))
    }
    return lines
  }

  private mutating func connectionLines(_ columns: Int) -> [ScreenLine] {
    let selected = selectedConnection.flatMap { id in connections.firstIndex { $0.id == id } }
    layout.firstConnection = TopLayout.first(
      layout.firstConnection, showing: selected, of: connections.count, in: layout.connectionRows)
    let shown = connections[layout.firstConnection...].prefix(layout.connectionRows)
    var table = ConnectionTable(.id, for: report.connections)
    var rows = shown.map(table.cells)
    if TableFit(table.columns, rows, width: nil).total > columns {
      table = ConnectionTable(.serviceAndProcess, for: report.connections)
      rows = shown.map(table.cells)
    }
    if layout.connectionWidths.count != table.columns.count || layout.naming != table.naming {
      (layout.connectionWidths, layout.naming) = ([], table.naming)
    }
    let fit = TableFit(table.columns, rows, width: columns, atLeast: layout.connectionWidths)
    layout.connectionWidths = fit.widths(of: table.columns.count)
    var lines = [bar(fit, columns, of: .connections, sortedBy: table.column(of: order))]
    for (connection, row) in zip(shown, rows) {
      let isSelected = focus == .connections && connection.id == selectedConnection
      lines.append(line(fit.line(row), columns, isSelected: isSelected))
    }
    if rows.isEmpty, status != nil, layout.connectionRows > 0 {
      lines.append(ScreenLine(filterText.isEmpty ? "no connections" : "no connection passes the filter", .faint))
    }
    return lines
  }

  /// The titles over the whole width, bright where the arrow keys move; the one that the rows are sorted by stands out.
  private func bar(_ fit: TableFit, _ columns: Int, of table: Focus, sortedBy sorted: Int? = nil) -> ScreenLine {
    let style = focus == table ? ScreenLine.Style.reversed : .bold
    var line = ScreenLine()
    var length = 0
    for (column, text) in fit.titleParts {
      let before = text.prefix { $0 == " " }
      let after = String(text.reversed().prefix { $0 == " " })
      line.add(String(before), style)
      let title = String(text.dropFirst(before.count).dropLast(after.count))
      line.add(title, column != sorted ? style : focus == table ? .bold : .reversed)
      line.add(after, style)
      length += text.utf8.count
    }
    line.add(String(repeating: " ", count: max(0, columns - length)), style)
    return line
  }

  /// A row, over the whole width if it is selected.
  private func line(_ text: String, _ columns: Int, isSelected: Bool) -> ScreenLine {
    guard isSelected else { return ScreenLine(text) }
    return ScreenLine(text + String(repeating: " ", count: max(0, columns - text.utf8.count)), .reversed)
  }

  // MARK: The last line

  private func lastLine(_ columns: Int) -> ScreenLine {
    switch prompt {
    case .filter: return ScreenLine("filter: \(filterText)_", .bold)
    case .confirm(let question, _): return ScreenLine(question, .bold)
    case .none: break
    }
    if let note { return ScreenLine(note, .bold) }
    let keys =
      filterText.isEmpty
      ? "q quit  / filter  s sort  r reverse  k end  d drain  Tab services" : "filter: \(filterText)  Escape clears it"
    let place = self.place
    let room = columns - keys.utf8.count - place.utf8.count
    guard room >= 2 else { return ScreenLine(filterText.isEmpty && !place.isEmpty ? place : keys) }
    var line = ScreenLine(keys, filterText.isEmpty ? .faint : .bold)
    line.add(String(repeating: " ", count: room) + place)
    return line
  }

  private var place: String {
    var parts: [String] = []
    if !connections.isEmpty {
      let last = min(connections.count, layout.firstConnection + layout.connectionRows)
      parts.append("\(layout.firstConnection + 1)-\(last) of \(connections.count)")
    }
    if report.omitted > 0 { parts.append("\(report.omitted) more not shown") }
    return parts.joined(separator: ", ")
  }
}
