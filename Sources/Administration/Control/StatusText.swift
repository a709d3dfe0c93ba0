import Configuration
import Control
import Monitoring

/// `begat status`: all services.
enum StatusText {
  /// - Parameter width: nil for lines of any length.
  static func text(_ report: StatusReport, width: Int?) -> String {
    var parts = [head(report.daemon) + unconfined(report.services), ServiceTable.table(report.services).text(width)]
    if let refusals = refusals(report.services) { parts.append(refusals.text(width)) }
    if let listeners = listeners(report.services) { parts.append(listeners.text(width)) }
    if !report.denials.isEmpty { parts.append(denials(report.denials).text(width)) }
    return parts.joined(separator: "\n")
  }

  static func head(_ daemon: DaemonStatus?) -> String {
    guard let daemon else { return "no begatd answers; these listeners run without it\n" }
    let reload = daemon.reloadAge.map { ", read \(ColumnText.age($0)) ago" } ?? ""
    var lines = [
      "begatd \(daemon.version) (process \(daemon.process)): \(daemon.state.rawValue), for \(ColumnText.age(daemon.age))",
      "configuration: \(daemon.configuration)\(reload)",
    ]
    if daemon.reloads.lastSucceeded == false {
      let age = daemon.reloads.lastAge.map { " \(ColumnText.age($0)) ago" } ?? ""
      lines.append("the last reload\(age) was refused: begat reload --dry-run shows why")
    }
    if daemon.lostLogMessages > 0 { lines.append("log: \(daemon.lostLogMessages) messages lost") }
    if !daemon.sandboxGaps.isEmpty { lines.append("sandbox: \(daemon.sandboxGaps.joined(separator: ", "))") }
    return lines.map { printableCell($0) + "\n" }.joined()
  }

  /// The services that have no sandbox.
  private static func unconfined(_ services: [ServiceStatus]) -> String {
    let names = services.filter { $0.isConfined == false }.map(\.name)
    return names.isEmpty ? "" : printableCell("unconfined: \(names.joined(separator: ", "))") + "\n"
  }

  /// The numbers of refused clients and datagrams by their reasons; nil if there are none.
  private static func refusals(_ services: [ServiceStatus]) -> Table? {
    var table = Table([
      TableColumn("REFUSED BY"), TableColumn("SERVICE", cut: .end(minimum: 8)), TableColumn("COUNT", .right),
    ])
    for service in services {
      for refused in service.refused where refused.count > 0 {
        table.add([refused.reason, service.name, "\(refused.count)"])
      }
      for refused in service.datagrams?.refused ?? [] where refused.count > 0 {
        table.add(["\(refused.reason) (datagrams)", service.name, "\(refused.count)"])
      }
    }
    return table.rows.isEmpty ? nil : table
  }

  /// The listeners of services that have more than one; nil if none has.
  private static func listeners(_ services: [ServiceStatus]) -> Table? {
    var table = Table([
      TableColumn("LISTENER", .right), TableColumn("SERVICE", cut: .end(minimum: 8)), TableColumn("STATE"),
      TableColumn("OPEN", .right), TableColumn("AGE", .right),
    ])
    for service in services where service.listeners.count > 1 {
      for listener in service.listeners {
        table.add([
          "\(listener.process)", service.name, listener.role.rawValue, "\(listener.active)",
          ColumnText.age(listener.age),
        ])
      }
    }
    return table.rows.isEmpty ? nil : table
  }

  private static func denials(_ denials: [Denial]) -> Table {
    var table = Table([
      TableColumn("DENIED"), TableColumn("SERVICE", cut: .end(minimum: 8)), TableColumn("FOR", .right),
    ])
    for denial in denials {
      table.add([denial.network, denial.service ?? "(all)", denial.remaining.map(ColumnText.age) ?? "ever"])
    }
    return table
  }
}
