import Admission
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

extension Configuration {
  /// What will be in force, for people: the services, their limits, and who may connect.
  public var effectiveSettings: String {
    let drain = DurationText.render(daemon.drainTimeout)
    let announcement = DurationText.render(daemon.announceTime)
    var text =
      "log-level \(daemon.logLevel.rawValue), log-target \(daemon.logTarget.rawValue)\(logFileText), drain-timeout \(drain), "
      + "announce-time \(announcement)\n"
    text += "control-socket \(controlText)\n"
    text += "\n" + TextTable.aligned(serviceRows) + "\n" + TextTable.aligned(limitRows) + "\n"
    let access = services.flatMap(\.accessRows)
    if !access.isEmpty { text += TextTable.aligned([["SERVICE", "ACCESS"]] + access) + "\n" }
    return text
  }

  /// What `--check` prints: the effective settings and the verdict.
  public var checkText: String { effectiveSettings + "\(printable(source)): configuration is right\n" }

  private var logFileText: String { daemon.logTarget == .file ? " \(printable(daemon.logFile))" : "" }

  private var controlText: String {
    guard let control else { return DaemonSettings.noControlSocket }
    return printable(control.ordersPath) + (daemon.controlGroup.map { ", control-group \(printable($0))" } ?? "")
  }

  private var serviceRows: [[String]] {
    var rows = [["SERVICE", "SERVES", "USER", "LISTENS ON"]]
    for service in services {
      let cells = [service.name, service.offerText, service.userText]
      let listens = service.listenText
      rows.append(cells + [listens.first ?? ""])
      rows += listens.dropFirst().map { [String](repeating: "", count: cells.count) + [$0] }
    }
    return rows
  }

  private var limitRows: [[String]] {
    var rows = [
      [
        "SERVICE", "CONNECTIONS", "PER SOURCE", "RATE", "RATE PER SOURCE", "WHEN FULL", "FIRST BYTE", "IDLE",
        "MAX DURATION", "LOG",
      ]
    ]
    for service in services { rows += service.limitRows }
    return rows
  }
}

extension ServiceConfiguration {
  /// One line about its limits, for the log.
  public var limitsText: String {
    let rate = "rate \(settings.admission.rate.text)"
    guard !waits else { return "its program accepts connections itself; \(rate)" }
    var parts: [String] = []
    if !streams.isEmpty || datagramLimits == nil {
      parts.append(
        "at most \(settings.admission.maxConnections) connections, \(settings.admission.maxConnectionsPerSource) of one source"
      )
      parts.append(rate + (settings.admission.ratePerSource.map { ", \($0) of one source" } ?? ""))
    }
    if let datagrams = datagramLimits {
      parts.append("datagrams \(datagrams.rate.text), \(datagrams.ratePerSource.text) of one source")
    }
    return parts.joined(separator: "; ")
  }

  /// The built-in service, or the program's words.
  fileprivate var offerText: String {
    let words = settings.exec.map(wordText).joined(separator: " ")
    switch mode.offer {
    case .builtIn(let builtIn): return builtIn.rawValue
    case .program(.connections): return words
    case .program(.relayedConnections): return words + " (relayed)"
    case .program(.sockets): return words + " (wait)"
    }
  }

  fileprivate var userText: String {
    guard let identity else { return "own" }
    let user = Users.find(String(identity.user))
    let name = user?.name ?? String(identity.user)
    return user?.identity.group == identity.group ? name : "\(name):\(identity.group)"
  }

  /// Its addresses, or that it has none just now.
  fileprivate var listenText: [String] {
    guard settings.enabled else { return ["(disabled)"] }
    return streams.map { "stream \($0)" } + datagrams.map { "datagram \($0)" }
  }

  /// A row for its connections, and one for its datagrams, which have no length.
  fileprivate var limitRows: [[String]] {
    let duration = cell("max-duration", settings.maxDuration.text)
    if waits {
      return [[name, "-", "-", settings.admission.rate.text, "-", "-", "-", "-", duration, settings.log.rawValue]]
    }
    var rows: [[String]] = []
    if !streams.isEmpty || datagramLimits == nil {
      rows.append([
        name, String(settings.admission.maxConnections), String(settings.admission.maxConnectionsPerSource),
        settings.admission.rate.text,
        settings.admission.ratePerSource.text, settings.admission.whenFull.rawValue,
        cell("first-byte-timeout", settings.firstByteTimeout.text),
        cell("idle-timeout", settings.idleTimeout.text), duration,
        settings.log.rawValue,
      ])
    }
    if let datagrams = datagramLimits {
      rows.append([
        rows.isEmpty ? name : "", "(datagrams)", "-", datagrams.rate.text, datagrams.ratePerSource.text,
        datagrams.whenFull.rawValue,
      ])
    }
    return rows
  }

  /// A value of a key, or a hyphen where the key has no effect.
  private func cell(_ name: String, _ text: String) -> String {
    ServiceSettings.key(named: name)?.reasonWithoutEffect(settings, mode) == nil ? text : "-"
  }

  /// Rows for allow and deny; none if neither is set.
  fileprivate var accessRows: [[String]] {
    var texts: [String] = []
    if let allow { texts.append("allow " + (allow.isEmpty ? "nobody" : allow.map(\.text).joined(separator: ", "))) }
    if !deny.isEmpty { texts.append("deny " + deny.map(\.text).joined(separator: ", ")) }
    return texts.enumerated().map { index, text in [index == 0 ? name : "", text] }
  }

  /// A word as a shell would want it, where that makes a difference.
  private func wordText(_ word: String) -> String {
    let text = printable(word)
    return text.isEmpty || text.contains(" ") ? "'\(text)'" : text
  }
}

extension RateLimit? {
  var text: String { map(\.description) ?? "none" }
}

extension Duration? {
  fileprivate var text: String { map(DurationText.render) ?? "none" }
}
