import ControlProtocol
import NameService
import UnixIPC

extension Configuration {
  /// A table of what will be in force, for people: a service with its limits and its addresses in each row.
  public var effectiveSettings: String {
    var rows = [["SERVICE", "SERVES", "USER", "LIMIT", "FIRST BYTE", "IDLE", "LOG", "LISTENS ON"]]
    for service in services {
      let cells = [
        service.name, service.serve.rawValue, service.userText, String(service.maxConnections),
        service.firstByteTimeout.map(DurationText.render) ?? "none",
        service.idleTimeout.map(DurationText.render) ?? "none", service.log.rawValue,
      ]
      let listens = service.listenText
      rows.append(cells + [listens.first ?? ""])
      rows += listens.dropFirst().map { [String](repeating: "", count: cells.count) + [$0] }
    }
    let drain = DurationText.render(daemon.drainTimeout)
    return "log-level \(daemon.logLevel.rawValue), log-target \(daemon.logTarget.rawValue), drain-timeout \(drain)\n\n"
      + Configuration.aligned(rows) + "\n"
  }

  /// What `--check` prints: the effective settings and the verdict.
  public var checkText: String { effectiveSettings + "\(printable(source)): configuration is right\n" }

  /// Columns as wide as their longest cell, two spaces apart, none at the ends of lines.
  private static func aligned(_ rows: [[String]]) -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column < widths.count { widths[column] = max(widths[column], cell.count) } else { widths.append(cell.count) }
      }
    }
    var text = ""
    for row in rows {
      var line = ""
      for (cell, width) in zip(row, widths) { line += cell + String(repeating: " ", count: width - cell.count + 2) }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}

extension ServiceConfiguration {
  fileprivate var userText: String {
    guard let identity else { return "own" }
    let user = Users.find(String(identity.user))
    let name = user?.name ?? String(identity.user)
    return user?.identity.group == identity.group ? name : "\(name):\(identity.group)"
  }

  /// Its addresses, or that it has none just now.
  fileprivate var listenText: [String] {
    guard isEnabled else { return ["(disabled)"] }
    return streams.map { "stream \($0)" } + datagrams.map { "datagram \($0)" }
  }
}
