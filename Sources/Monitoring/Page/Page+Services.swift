/// The services of a page.
extension [UInt8] {
  mutating func append(serviceTable services: [ServiceStatus]) {
    let columns: [StaticString] = ["Service", "State", "#Open", "#Accepted", "#Refused", "Last 15 minutes"]
    append(table: "Services", columns, style: "services") { output in
      for service in services { output.append(serviceRow: service) }
    }
  }

  private mutating func append(serviceRow service: ServiceStatus) {
    append(rowHead: { output in
      output.append(text: service.name)
      for address in service.addresses {
        output.append("<small>")
        output.append(text: address.text)
        if address.isDatagram { output.append(" datagrams") }
        output.append("</small>")
      }
    })
    append("<td class=\"is\">")
    append(state: service)
    append("</td>")
    append(cell: "#Open") { $0.append(open: service) }
    append(cell: "#Accepted") { output in
      output.append(count: service.accepted)
      output.append("<small>")
      output.append(rate: service.rates.minute)
      output.append("/s</small>")
      guard let datagrams = service.datagrams else { return }
      output.append("<small>")
      output.append(datagrams.answered, "datagram")
      output.append("</small>")
    }
    append(cell: "#Refused") { output in
      output.append(count: service.refused.sum)
      guard let datagrams = service.datagrams, datagrams.refused.sum > 0 else { return }
      output.append("<small>")
      output.append(datagrams.refused.sum, "datagram")
      output.append("</small>")
    }
    append(history: service)
    append("</tr>\n")
  }

  private mutating func append(state service: ServiceStatus) {
    append(state: service.state.rawValue, service.state.mood)
    if service.isConfined == false { append("<small>not confined</small>") }
    guard let remaining = service.remaining else { return }
    append(service.state == .failed ? "<small>next start in " : "<small>for ")
    append(age: remaining)
    append("</small>")
  }

  /// Open connections, and how much of the limit they are.
  private mutating func append(open service: ServiceStatus) {
    append(count: service.active)
    guard let limit = service.limit, limit > 0 else { return }
    append("<small>of ")
    append(grouped: limit)
    append("</small>")
    let isFull = service.active >= limit
    append(isFull ? "<span class=\"meter full\"><i style=\"width:" : "<span class=\"meter\"><i style=\"width:")
    append(decimal: Swift.min(100, service.active &* 100 / limit))
    append("%\"></i></span>")
  }

  private mutating func append(history service: ServiceStatus) {
    append("<td class=\"history\">")
    if let picture = Sparkline(service) {
      picture.append(to: &self)
      append("<small>peak ")
      append(rate: Double(picture.peak) / 10)
      append("/s")
      let refused = service.recentlyRefused
      if refused > 0 {
        append(", <span class=\"bad\">")
        append(grouped: refused)
        append(" refused</span>")
      }
      append("</small>")
    } else {
      append("<small>no connections</small>")
    }
    append("</td>")
  }
}

extension ServiceStatus {
  /// Connections that were refused in the time that the history has.
  var recentlyRefused: UInt64 { refusedHistory.reduce(0) { $0 &+ UInt64($1) } }
}

extension [ServiceStatus.Refused] {
  var sum: UInt64 { reduce(0) { $0 &+ $1.count } }
}
