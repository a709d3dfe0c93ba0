/// The head of the page: begatd, and the sums of its services.
extension [UInt8] {
  /// How many services accept clients: `8 of 10`.
  mutating func append(serving services: [ServiceStatus]) {
    append(grouped: UInt64(services.count { $0.state.mood == .good }))
    append(" of ")
    append(grouped: UInt64(services.count))
  }

  mutating func append(pageHead report: StatusReport) {
    append("<header>\n<h1>begat</h1>\n")
    if let daemon = report.daemon {
      append(state: daemon.state.rawValue, daemon.state.mood)
      append("<p>begatd ")
      append(text: daemon.version)
      append(", process ")
      append(decimal: daemon.process)
      append(", for ")
      append(age: daemon.age)
      append(".\nConfiguration <span class=\"path\">")
      append(text: daemon.configuration)
      append("</span>")
      append(lastReload: daemon)
      append("</p>\n")
    } else {
      append(state: "no begatd", .bad)
      append("<p>No begatd answers; listeners that run without it are shown.</p>\n")
    }
    append(tiles: report)
    append("</header>\n")
  }

  private mutating func append(lastReload daemon: DaemonStatus) {
    if let age = daemon.reloadAge {
      append(", read ")
      append(age: age)
      append(" ago")
    }
    append(".")
    guard daemon.reloads.lastSucceeded == false else { return }
    append(" <strong class=\"bad\">The last reload was refused")
    if let age = daemon.reloads.lastAge {
      append(" ")
      append(age: age)
      append(" ago")
    }
    append(".</strong>")
  }

  private mutating func append(tiles report: StatusReport) {
    let services = report.services
    append("<dl>\n")
    append(tile: "Services that serve", isBad: services.contains { $0.state.mood == .bad }) { output in
      output.append(serving: services)
    }
    append(tile: "Open connections") { $0.append(grouped: services.reduce(0) { $0 &+ $1.active }) }
    append(tile: "Accepted, last minute") { output in
      output.append(rate: services.reduce(0) { $0 + $1.rates.minute })
      output.append("/s")
    }
    let refused = services.reduce(0) { $0 &+ $1.recentlyRefused }
    append(tile: "Refused, last 15 minutes", isBad: refused > 0) { $0.append(grouped: refused) }
    append("</dl>\n")
  }

  private mutating func append(tile name: StaticString, isBad: Bool = false, _ value: (inout [UInt8]) -> Void) {
    append("<div><dt>")
    append(name)
    append(isBad ? "</dt><dd class=\"bad\">" : "</dt><dd>")
    value(&self)
    append("</dd></div>\n")
  }

  /// A word for a state, with a mark that does not depend on its colour alone.
  mutating func append(state: String, _ mood: StateMood) {
    switch mood {
    case .good: append("<span class=\"state good\">")
    case .passing: append("<span class=\"state passing\">")
    case .bad: append("<span class=\"state bad\">")
    }
    append(text: state)
    append("</span>")
  }
}

/// How a state is shown.
enum StateMood {
  case good
  /// On the way to another state, or as an administrator wishes.
  case passing
  /// An administrator should look at it.
  case bad
}

extension ServiceStatus.State {
  var mood: StateMood {
    switch self {
    case .serving: .good
    case .starting, .announcing, .draining, .drained: .passing
    case .failed: .bad
    }
  }
}

extension DaemonStatus.State {
  fileprivate var mood: StateMood { self == .serving ? .good : .passing }
}
