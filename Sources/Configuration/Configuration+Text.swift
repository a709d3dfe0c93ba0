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
    var users = services.map { [$0.userWords.joined(separator: " ")] }
    func offerWidth() -> Int {
      let others = [services.map { [$0.name] }, users, services.map(\.listenText)]
      return zip(others, [titles[0], titles[2], titles[3]]).reduce(width) { rest, column in
        rest - 2 - column.0.joined().reduce(column.1.count) { max($0, $1.count) }
      }
    }
    // On a narrow page, numbers of users stand below their names.
    if offerWidth() < Configuration.narrowestOffer { users = services.map(\.userWords) }
    let room = max(Configuration.narrowestOffer, offerWidth())
    var rows = [titles]
    for (service, (words, user)) in zip(services, zip(offers, users)) {
      let columns = [[service.name], TextTable.wrapped(words, width: room), user, service.listenText]
      for line in 0..<(columns.map(\.count).max() ?? 0) {
        rows.append(columns.map { line < $0.count ? $0[line] : "" })
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

  /// Its user and, where that is one of its own, the number.
  fileprivate var userWords: [String] {
    guard let identity else { return ["own"] }
    if let ownUser {
      return [ownUser, "(\(identity.user))" + (identity.group == identity.user ? "" : ":\(identity.group)")]
    }
    let user = Users.find(String(identity.user))
    let name = user?.name ?? String(identity.user)
    return [user?.identity.group ?? identity.user == identity.group ? name : "\(name):\(identity.group)"]
  }

  /// Its addresses, or that it has none just now.
  fileprivate var listenText: [String] {
    guard settings.enabled else { return ["(disabled)"] }
    return streams.map { "stream \($0)" } + datagrams.map { "datagram \($0)" }
  }

  /// Rows for allow, deny and proxies; none if none of them is set.
  fileprivate var accessRows: [(String, [String])] {
    var lists: [[String]] = []
    if let allow {
      lists.append(allow.isEmpty ? ["allow nobody"] : ServiceConfiguration.list("allow", allow.map(\.text)))
    }
    if !deny.isEmpty { lists.append(ServiceConfiguration.list("deny", deny.map(\.text))) }
    if !proxies.isEmpty { lists.append(ServiceConfiguration.list("proxy-from", proxies.map(\.text))) }
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
