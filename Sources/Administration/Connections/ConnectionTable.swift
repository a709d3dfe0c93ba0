import Monitoring

/// Connections in rows, for `begat ps` and `begat top`.
struct ConnectionTable {
  /// How a connection is named in its row.
  enum Naming {
    /// By its id, which no other connection has after it.
    case id
    /// By its service and its process, which are shorter together.
    case serviceAndProcess
  }

  /// `[2001:0db8:…]:65535`: no address is cut.
  private static let longestAddress = 47

  let naming: Naming
  /// Whether the name of a client's host is known.
  let isNamed: Bool
  /// Whether a proxy has named a client.
  let isProxied: Bool

  init(_ naming: Naming, for connections: [ConnectionStatus]) {
    self.naming = naming
    isNamed = connections.contains { $0.name != nil }
    isProxied = connections.contains { $0.via != nil }
  }

  var columns: [TableColumn] {
    var columns: [TableColumn]
    switch naming {
    case .id:
      columns = [
        TableColumn("ID"), TableColumn("PID", .right, rank: 2), TableColumn("PEER"), TableColumn("AGE", .right),
        TableColumn("IN", .right, rank: 3), TableColumn("OUT", .right, rank: 4), TableColumn("WAITS FOR", rank: 1),
      ]
    case .serviceAndProcess:
      columns = [
        TableColumn("SERVICE", cut: .end(minimum: 8)), TableColumn("PID", .right),
        TableColumn("PEER", cut: .end(minimum: ConnectionTable.longestAddress)), TableColumn("AGE", .right),
        TableColumn("IN", .right, rank: 2), TableColumn("OUT", .right, rank: 3), TableColumn("WAITS FOR", rank: 4),
      ]
    }
    let rank = naming == .id ? 5 : 1
    // The proxy column is left out first.
    if isProxied { columns.insert(TableColumn("VIA", rank: naming == .id ? 6 : 5), at: 3) }
    if isNamed { columns.insert(TableColumn("NAME", cut: .end(minimum: 12), rank: rank), at: 3) }
    return columns
  }

  func cells(_ connection: ConnectionStatus) -> [String] {
    var cells = [
      naming == .id ? connection.id.description : connection.id.service, "\(connection.process)",
      ConnectionTable.peer(connection), ColumnText.age(connection.age), ColumnText.size(connection.received),
      ColumnText.size(connection.sent), connection.waiting?.rawValue ?? "-",
    ]
    if isProxied { cells.insert(connection.via ?? "-", at: 3) }
    if isNamed { cells.insert(connection.name ?? "-", at: 3) }
    return cells.map(printableCell)
  }

  static func peer(_ connection: ConnectionStatus) -> String {
    if let user = connection.user { return "uid \(user)" }
    return connection.peer ?? "-"
  }

  /// The place of the column that the connections are sorted by; nil if none shows it.
  func column(of order: ConnectionOrder) -> Int? {
    let title =
      switch order {
      case .service: naming == .id ? "ID" : "SERVICE"
      case .age: "AGE"
      case .received: "IN"
      case .sent: "OUT"
      case .peer: "PEER"
      case .process: "PID"
      case .waiting: "WAITS FOR"
      }
    return columns.firstIndex { $0.title == title }
  }
}

/// `begat ps`.
enum ConnectionText {
  /// - Parameter width: where ids are too long for it, connections are named by their processes; nil for any width.
  static func text(_ report: ConnectionReport, width: Int?) -> String {
    let byID = Table(ConnectionTable(.id, for: report.connections), report.connections)
    if let width, byID.leastWidth > width {
      return Table(ConnectionTable(.serviceAndProcess, for: report.connections), report.connections).text(width)
    }
    return byID.text(width)
  }
}

extension Table {
  fileprivate init(_ table: ConnectionTable, _ connections: [ConnectionStatus]) {
    self.init(table.columns)
    for connection in connections { add(table.cells(connection)) }
  }
}
