import Admission
import Confinement
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

extension Configuration {
  /// The width of a page where no terminal has another one.
  public static let pageWidth = 80

  /// What will be in force, for people: the services, their limits, and who may connect.
  ///
  /// - Parameter width: the characters of a line, which only words that cannot be parted exceed.
  /// - Parameter support: what the kernel has to confine services with.
  public func effectiveSettings(width: Int = pageWidth, support: KernelSupport = .current) -> String {
    let drain = DurationText.render(daemon.drainTimeout)
    let announcement = DurationText.render(daemon.announceTime)
    let head = [
      "log-level \(daemon.logLevel.rawValue),", "log-target \(daemon.logTarget.rawValue)\(logFileText),",
      "drain-timeout \(drain),",
      "announce-time \(announcement)",
    ]
    var text = TextTable.wrapped(head, width: width).joined(separator: "\n") + "\n"
    text += "control-socket \(controlText)\n"
    text += "\n" + TextTable.aligned(serviceRows(width)) + "\n" + LimitSummary(services).text(width: width)
    text += "\n" + SandboxSummary(services, support).text(width: width) + "\n"
    let access = services.flatMap(\.accessRows)
    if !access.isEmpty {
      text += TextTable.aligned([["SERVICE", "ACCESS"]] + TextTable.wrappingLast(access, width: width)) + "\n"
    }
    let proposals = pathProposals(width: width)
    if !proposals.isEmpty { text += proposals + "\n" }
    return text
  }

  /// What `--check` prints: the effective settings and the verdict.
  public func checkText(width: Int = pageWidth, support: KernelSupport = .current) -> String {
    effectiveSettings(width: width, support: support) + "\(printable(source)): configuration is right\n"
  }

  private var logFileText: String { daemon.logTarget == .file ? " \(printable(daemon.logFile))" : "" }

  private var controlText: String {
    guard let control else { return DaemonSettings.noControlSocket }
    return printable(control.ordersPath) + (daemon.controlGroup.map { ", control-group \(printable($0))" } ?? "")
  }

  private func serviceRows(_ width: Int) -> [[String]] {
    let titles = ["SERVICE", "SERVES", "USER", "LISTENS ON"]
    let offers = services.map(\.offerWords)
    let others = [services.map { [$0.name] }, services.map { [$0.userText] }, services.map(\.listenText)]
    let taken = zip(others, [titles[0], titles[2], titles[3]]).reduce(0) { sum, column in
      sum + 2 + column.0.joined().reduce(column.1.count) { max($0, $1.count) }
    }
    var rows = [titles]
    for (service, words) in zip(services, offers) {
      let offer = TextTable.wrapped(words, width: max(Configuration.narrowestOffer, width - taken))
      let listens = service.listenText
      for line in 0..<max(offer.count, listens.count) {
        let first = line == 0 ? (service.name, service.userText) : ("", "")
        rows.append([
          first.0, line < offer.count ? offer[line] : "", first.1, line < listens.count ? listens[line] : "",
        ])
      }
    }
    return rows
  }

  private static let narrowestOffer = 16
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
  fileprivate var offerWords: [String] {
    let words = settings.exec.map(wordText)
    return switch mode.offer {
    case .builtIn(let builtIn): [builtIn.rawValue]
    case .program(.connections): words
    case .program(.relayedConnections): words + ["(relayed)"]
    case .program(.sockets): words + ["(wait)"]
    }
  }

  fileprivate var userText: String {
    guard let identity else { return "own" }
    let user = Users.find(String(identity.user))
    let name = user?.name ?? String(identity.user)
    return user?.identity.group ?? identity.user == identity.group ? name : "\(name):\(identity.group)"
  }

  /// Its addresses, or that it has none just now.
  fileprivate var listenText: [String] {
    guard settings.enabled else { return ["(disabled)"] }
    return streams.map { "stream \($0)" } + datagrams.map { "datagram \($0)" }
  }

  /// Rows for allow and deny; none if neither is set.
  fileprivate var accessRows: [(String, [String])] {
    var lists: [[String]] = []
    if let allow {
      lists.append(allow.isEmpty ? ["allow nobody"] : ServiceConfiguration.list("allow", allow.map(\.text)))
    }
    if !deny.isEmpty { lists.append(ServiceConfiguration.list("deny", deny.map(\.text))) }
    return lists.enumerated().map { index, list in (index == 0 ? name : "", list) }
  }

  /// Parts between which a line may end.
  private static func list(_ word: String, _ texts: [String]) -> [String] {
    texts.enumerated().map { index, text in
      (index == 0 ? "\(word) " : "") + text + (index == texts.count - 1 ? "" : ",")
    }
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
