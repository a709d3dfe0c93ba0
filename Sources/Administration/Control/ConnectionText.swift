import Configuration
import Control
import Monitoring

/// `begat ps`.
enum ConnectionText {
  /// A line is no longer, unless names and addresses alone are.
  private static let width = 80
  /// Columns to leave out when lines are too long, in this order: bytes out and in, and the process, which the id names
  /// too.
  private static let dispensable = [5, 4, 1]

  static func text(_ report: ConnectionReport) -> String {
    var rows = [["ID", "PID", "PEER", "AGE", "IN", "OUT", "WAITS FOR"]]
    for connection in report.connections {
      rows.append([
        connection.id.description, "\(connection.process)", peer(connection), ColumnText.age(connection.age),
        ColumnText.size(connection.received), ColumnText.size(connection.sent), connection.waiting?.rawValue ?? "-",
      ])
    }
    var right: Set = [1, 3, 4, 5]
    for column in dispensable where TextTable.width(rows) > width {
      for index in rows.indices { rows[index].remove(at: column) }
      right = Set(right.compactMap { $0 == column ? nil : $0 > column ? $0 - 1 : $0 })
    }
    return TextTable.aligned(rows, right: right)
  }

  private static func peer(_ connection: ConnectionStatus) -> String {
    if let user = connection.user { return "uid \(user)" }
    return connection.peer ?? "-"
  }
}
