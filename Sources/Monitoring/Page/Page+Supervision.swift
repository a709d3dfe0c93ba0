/// Sections of the page about listeners and denied networks.
extension [UInt8] {
  mutating func append(listenerTable services: [ServiceStatus]) {
    guard services.contains(where: { !$0.listeners.isEmpty }) else {
      return append(section: "Listeners", "No listener runs.")
    }
    append(table: "Listeners", ["Service", "Role", "#Process", "#Generation", "#Age", "#Connections"]) { output in
      for service in services {
        for listener in service.listeners {
          output.append(rowHead: { $0.append(text: service.name) })
          output.append(cell: "Role") { $0.append(text: service.isStandalone ? "standalone" : listener.role.rawValue) }
          output.append(cell: "#Process") { $0.append(decimal: listener.process) }
          output.append(cell: "#Generation") { output in
            if service.isStandalone { output.append("–") } else { output.append(decimal: listener.generation) }
          }
          output.append(cell: "#Age") { $0.append(age: listener.age) }
          output.append(cell: "#Connections", count: listener.active)
          output.append("</tr>\n")
        }
      }
    }
  }

  mutating func append(denialTable report: StatusReport) {
    guard !report.denials.isEmpty else {
      append("<section>\n<h2>Denied networks</h2>\n<p class=\"none\">")
      append(grouped: UInt64(report.omittedDenials))
      append(
        report.omittedDenials == 1 ? " network is denied.</p>\n</section>\n" : " networks are denied.</p>\n</section>\n"
      )
      return
    }
    append(table: "Denied networks", ["Network", "Service", "Ends in"]) { output in
      for denial in report.denials {
        output.append(rowHead: { $0.append(text: denial.network) })
        output.append(cell: "Service") { $0.append(text: denial.service ?? "all") }
        output.append(cell: "Ends in") { output in
          if let remaining = denial.remaining { output.append(age: remaining) } else { output.append("never") }
        }
        output.append("</tr>\n")
      }
    }
  }
}
