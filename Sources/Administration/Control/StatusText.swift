import Configuration
import Control
import Monitoring

/// `begat status`.
enum StatusText {
  static func text(_ report: StatusReport) -> String {
    var text = head(report.daemon) + "\n\n" + table(report.services)
    if !report.denials.isEmpty { text += "\n" + table(report.denials) }
    return text
  }

  private static func head(_ daemon: DaemonStatus?) -> String {
    guard let daemon else { return "listeners that run without begatd" }
    let reload = daemon.reloadAge.map { ", read \(ColumnText.age($0)) ago" } ?? ""
    return
      "begatd \(daemon.version) (process \(daemon.process)): \(daemon.state.rawValue), for \(ColumnText.age(daemon.age))\n"
      + "configuration: \(daemon.configuration)\(reload)"
  }

  private static func table(_ services: [ServiceStatus]) -> String {
    var rows = [["SERVICE", "STATE", "ACTIVE", "ACCEPTED", "REFUSED", "ADDRESS"]]
    for service in services { rows += self.rows(service) }
    return TextTable.aligned(rows, right: [2, 3, 4])
  }

  /// A row for each address: the first of streams has the numbers of connections, the first of datagrams theirs.
  private static func rows(_ service: ServiceStatus) -> [[String]] {
    let datagrams = service.addresses.filter(\.isDatagram).map { $0.text + " (datagram)" }
    let streams = service.addresses.filter { !$0.isDatagram }.map(\.text)
    var rows: [[String]] = []
    if !streams.isEmpty || service.datagrams == nil {
      let active = "\(service.active)" + (service.limit.map { "/\($0)" } ?? "")
      rows.append([active, "\(service.accepted)", "\(sum(service.refused))", streams.first ?? "-"])
    }
    rows += streams.dropFirst().map { ["", "", "", $0] }
    for (index, address) in datagrams.enumerated() {
      let counts = index == 0 ? service.datagrams.map { ["-", "\($0.answered)", "\(sum($0.refused))"] } : nil
      rows.append((counts ?? ["", "", ""]) + [address])
    }
    return rows.enumerated().map { index, row in (index == 0 ? [service.name, state(service)] : ["", ""]) + row }
  }

  private static func state(_ service: ServiceStatus) -> String {
    let remaining = service.remaining.map { ", \(ColumnText.age($0))" } ?? ""
    let retiring = service.listeners.filter { $0.role == .retiring }.count
    return service.state.rawValue + remaining + (retiring == 0 ? "" : " +\(retiring)")
  }

  private static func sum(_ refused: [ServiceStatus.Refused]) -> UInt64 { refused.reduce(0) { $0 &+ $1.count } }

  private static func table(_ denials: [Denial]) -> String {
    var rows = [["DENIED", "SERVICE", "FOR"]]
    for denial in denials {
      rows.append([denial.network, denial.service ?? "(all)", denial.remaining.map(ColumnText.age) ?? "ever"])
    }
    return TextTable.aligned(rows)
  }
}
