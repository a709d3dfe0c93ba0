/// Sections of the page about refused, ended and open connections.
extension [UInt8] {
  mutating func append(refusalTable services: [ServiceStatus]) {
    let isAny = services.contains { $0.refused.sum > 0 || ($0.datagrams?.refused.sum ?? 0) > 0 }
    guard isAny else { return append(section: "Refused", "No client has been refused.") }
    append(table: "Refused", ["Service", "Reason", "#Connections", "#Datagrams"], style: "grouped") { output in
      for service in services { output.append(refusalRows: service) }
    }
  }

  private mutating func append(refusalRows service: ServiceStatus) {
    let rows = service.refused.map { refused in
      let datagrams = service.datagrams?.refused.first { $0.reason == refused.reason }
      return (reason: refused.reason, connections: refused.count, datagrams: datagrams?.count ?? 0)
    }.filter { $0.connections > 0 || $0.datagrams > 0 }
    for (index, row) in rows.enumerated() {
      if index == 0 { append(rowHead: { $0.append(text: service.name) }, rows: rows.count) } else { append("<tr>") }
      append(cell: "Reason") { $0.append(text: row.reason) }
      append(cell: "#Connections", count: row.connections)
      append(cell: "#Datagrams", count: row.datagrams)
      append("</tr>\n")
    }
  }

  mutating func append(endTable services: [ServiceStatus]) {
    let shown = services.filter { $0.ended > 0 }
    guard !shown.isEmpty else { return append(section: "Ended", "No connection has ended yet.") }
    let columns: [StaticString] = [
      "Service", "#Complete", "#Client closed", "#Time limit", "#Ended by begat", "#Failed", "#Median", "#Received",
      "#Sent",
    ]
    append(table: "Ended", columns) { output in
      for service in shown { output.append(endRow: service) }
    }
  }

  private mutating func append(endRow service: ServiceStatus) {
    func count(_ outcomes: Set<String>) -> UInt64 {
      service.outcomes.reduce(0) { outcomes.contains($1.outcome) ? $0 &+ $1.count : $0 }
    }
    append(rowHead: { $0.append(text: service.name) })
    append(cell: "#Complete", count: count(["complete"]))
    append(cell: "#Client closed", count: count(["client-closed"]))
    append(cell: "#Time limit", count: count(["first-byte-timeout", "idle-timeout", "max-duration"]))
    append(cell: "#Ended by begat", count: count(["stopped", "ended"]))
    let failed = count(["failed", "exited", "crashed"])
    append(cell: "#Failed") { output in
      if failed > 0 { output.append("<strong class=\"bad\">") }
      output.append(count: failed)
      if failed > 0 { output.append("</strong>") }
    }
    append(cell: "#Median") { $0.append(median: service.durations) }
    append(cell: "#Received") { $0.append(size: service.bytesReceived) }
    append(cell: "#Sent") { $0.append(size: service.bytesSent) }
    append("</tr>\n")
  }

  /// The bucket in which the median is.
  private mutating func append(median durations: DurationHistogram) {
    let all = durations.counts.reduce(0) { $0 &+ $1 }
    guard all > 0 else { return append("–") }
    var sum: UInt64 = 0
    let index = durations.counts.firstIndex { count in
      sum &+= count
      return sum >= all - all / 2
    }
    guard let index, index < DurationHistogram.bounds.count else { return append("&gt;\u{A0}1\u{A0}h") }
    append("≤\u{A0}")
    let bound = DurationHistogram.bounds[index]
    if bound < .seconds(1) {
      append(decimal: bound.components.attoseconds / 1_000_000_000_000_000)
      append("\u{A0}ms")
    } else {
      append(age: bound)
    }
  }

  mutating func append(connectionTable report: ConnectionReport) {
    guard !report.connections.isEmpty else { return append(section: "Open connections", "No connection is open.") }
    let columns: [StaticString] = ["Connection", "Client", "Waits for", "#Process", "#Age", "#Received", "#Sent"]
    append(table: "Open connections", columns, style: "clients") { output in
      for connection in report.connections.prefix(Page.maxConnections) {
        output.append(rowHead: { $0.append(text: connection.id.description) })
        output.append(cell: "Client") { $0.append(client: connection) }
        output.append(cell: "Waits for") { $0.append(text: connection.waiting?.rawValue ?? "–") }
        output.append(cell: "#Process") { $0.append(decimal: connection.process) }
        output.append(cell: "#Age") { $0.append(age: connection.age) }
        output.append(cell: "#Received") { $0.append(size: connection.received) }
        output.append(cell: "#Sent") { $0.append(size: connection.sent) }
        output.append("</tr>\n")
      }
    }
    let hidden = report.omitted + Swift.max(0, report.connections.count - Page.maxConnections)
    guard hidden > 0 else { return }
    append("<p class=\"none\">")
    append(UInt64(hidden), "further connection")
    append(hidden == 1 ? " is" : " are")
    append(" not shown.</p>\n")
  }

  private mutating func append(client connection: ConnectionStatus) {
    if let user = connection.user {
      append("uid ")
      append(decimal: user)
    } else {
      append(text: connection.peer ?? "–")
    }
    if let name = connection.name { append(note: name) }
    if let via = connection.via { append(note: "via " + via) }
  }

  private mutating func append(note text: String) {
    append("<small>")
    append(text: text)
    append("</small>")
  }
}
