import Monitoring

/// The table of services, for `begat status` and `begat top`.
enum ServiceTable {
  /// - Parameter services: a row for each address; in a screen that has little room, one for each service.
  static func table(_ services: [ServiceStatus], isShort: Bool = false) -> Table {
    let isDropping = services.contains { $0.droppedRecords > 0 }
    var columns = [
      TableColumn("SERVICE", cut: .end(minimum: 8)), TableColumn("STATE"),
      TableColumn("OPEN", .right), TableColumn("ACCEPTED", .right), TableColumn("REFUSED", .right),
      TableColumn("RATE", .right, rank: 2), TableColumn("1MIN", .right, rank: 3), TableColumn("15MIN", .right, rank: 4),
      TableColumn("PID", .right, rank: 5), TableColumn("AGE", .right, rank: 6),
    ]
    if isDropping { columns.append(TableColumn("UNLOGGED", .right, rank: 1)) }
    columns.append(TableColumn("ADDRESS", cut: .beginning(minimum: 21)))
    var table = Table(columns)
    for service in services {
      let rows = isShort ? [row(service)] : rows(service)
      for row in rows { table.add(row.cells + (isDropping ? [row.unlogged] : []) + [row.address]) }
    }
    return table
  }

  private struct Row {
    var cells: [String]
    var unlogged = ""
    let address: String

    init(_ counts: [String], _ address: String) {
      cells = ["", ""] + counts + ["", ""]
      self.address = address
    }

    /// The first row of a service has what it has once.
    mutating func name(_ service: ServiceStatus) {
      let listener = service.listeners.first
      cells[0] = service.name
      cells[1] = ServiceTable.state(service)
      cells[cells.count - 2] = listener.map { "\($0.process)" } ?? "-"
      cells[cells.count - 1] = listener.map { ColumnText.age($0.age) } ?? "-"
      unlogged = "\(service.droppedRecords)"
    }
  }

  /// A row for each address: the first of streams has the numbers of connections, the first of datagrams theirs.
  private static func rows(_ service: ServiceStatus) -> [Row] {
    let datagrams = service.addresses.filter(\.isDatagram)
    let streams = service.addresses.filter { !$0.isDatagram }
    let none = [String](repeating: "", count: 6)
    var rows: [Row] = []
    if !streams.isEmpty || service.datagrams == nil {
      rows.append(Row(connectionCounts(service), streams.first.map(text) ?? "-"))
    }
    rows += streams.dropFirst().map { Row(none, text($0)) }
    for (index, address) in datagrams.enumerated() {
      rows.append(Row(index == 0 ? datagramCounts(service) ?? none : none, text(address)))
    }
    if !rows.isEmpty { rows[0].name(service) }
    return rows
  }

  /// One row: the numbers of its connections; of its datagrams, if it answers nothing else.
  private static func row(_ service: ServiceStatus) -> Row {
    let isDatagram = service.datagrams != nil && service.addresses.allSatisfy(\.isDatagram)
    let counts = isDatagram ? datagramCounts(service) : nil
    let others = service.addresses.count - 1
    let address = service.addresses.first.map { text($0) + (others > 0 ? " +\(others)" : "") } ?? "-"
    var row = Row(counts ?? connectionCounts(service), address)
    row.name(service)
    return row
  }

  private static func connectionCounts(_ service: ServiceStatus) -> [String] {
    let open = "\(service.active)" + (service.limit.map { "/\($0)" } ?? "")
    let rates = [service.rates.second, service.rates.minute, service.rates.quarterHour]
    return [open, "\(service.accepted)", "\(sum(service.refused))"] + rates.map(ColumnText.rate)
  }

  private static func datagramCounts(_ service: ServiceStatus) -> [String]? {
    service.datagrams.map { ["-", "\($0.answered)", "\(sum($0.refused))", "-", "-", "-"] }
  }

  private static func text(_ address: ServiceStatus.Address) -> String {
    guard address.isDatagram else { return address.text }
    return address.text + (address.text.hasPrefix("/") || address.text.hasPrefix("@") ? " (datagram)" : " udp")
  }

  static func state(_ service: ServiceStatus) -> String {
    let remaining = service.remaining.map { ", \(ColumnText.age($0))" } ?? ""
    let retiring = service.listeners.filter { $0.role == .retiring }.count
    let isAlone = service.isStandalone ? " alone" : ""
    return service.state.rawValue + isAlone + remaining + (retiring == 0 ? "" : " +\(retiring)")
  }

  static func sum(_ refused: [ServiceStatus.Refused]) -> UInt64 { refused.reduce(0) { $0 &+ $1.count } }
}
