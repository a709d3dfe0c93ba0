import Admission
import ControlProtocol
import NameService
import UnixIPC

/// What would happen to a client of a service, and by which line of which file.
public struct AccessExplanation: Sendable {
  /// Lines for people.
  public let text: String
  public let isAdmitted: Bool
}

extension Configuration {
  /// Nil when there is no such service.
  public func explanation(of client: ClientAddress, to service: String) -> AccessExplanation? {
    services.first { $0.name == service }.map { $0.explanation(of: client) }
  }

  /// The service that was probably meant.
  public func nearestService(to name: String) -> String? { nearestName(to: name, among: services.map(\.name)) }
}

extension ServiceConfiguration {
  fileprivate func explanation(of client: ClientAddress) -> AccessExplanation {
    let head = "\(client.text) to \(name): "
    let remarks = remarks(on: client).map { "remark: \($0)\n" }.joined()
    guard !waits else {
      let origin = originText(of: .wait)
      return AccessExplanation(
        text: head + "the program decides, it accepts connections itself\n  \(origin)\n" + remarks, isAdmitted: true)
    }
    let rule = AccessRules(allow: admission.allow, deny: admission.deny)
      .decision(on: client.address, user: client.user)
    var text = head + (rule.isAllowed ? "admitted" : "refused") + "\n  \(ruleText(rule))\n"
    if rule.isAllowed { text += limitsText(for: client) }
    return AccessExplanation(text: text + remarks, isAdmitted: rule.isAllowed)
  }

  private func ruleText(_ rule: AccessRules.Rule) -> String {
    switch rule {
    case .allow(let index): "\(allow[index].origin): \(allow[index].text)"
    case .deny(let index): "\(deny[index].origin): \(deny[index].text)"
    case .notAllowed: "\(originText(of: .allow)): names others only"
    case .open: deny.isEmpty ? "nothing is said about it: everybody may connect" : "nothing is said about it"
    }
  }

  private func originText(of key: ServiceKey) -> String { origins[key.rawValue]?.description ?? "begat's default" }

  // MARK: - Limits

  private func limitsText(for client: ClientAddress) -> String {
    var text = ""
    let source = sourceText(of: client)
    if !streams.isEmpty || datagramAdmission == nil {
      text += "limits:\n" + limitTable(admission, source: source, isOfDatagrams: false)
    }
    if let datagrams = datagramAdmission {
      text += "limits of datagrams:\n" + limitTable(datagrams, source: source, isOfDatagrams: true)
    }
    return text
  }

  private func limitTable(_ limits: AdmissionLimits, source: String, isOfDatagrams: Bool) -> String {
    var rows: [[String]] = []
    func add(_ key: ServiceKey, _ value: String) { rows.append([key.rawValue, value, originText(of: key)]) }
    add(.sourcePrefix, "\(source) counts as one source")
    if !isOfDatagrams { add(.maxConnectionsPerSource, String(limits.maxConnectionsPerSource)) }
    add(.ratePerSource, limits.ratePerSource.text)
    if !isOfDatagrams { add(.maxConnections, String(limits.maxConnections)) }
    add(.rate, limits.rate.text)
    if !isOfDatagrams { add(.whenFull, limits.whenFull.rawValue) }
    return TextTable.aligned(rows, indent: "  ")
  }

  /// Who shares the limits per source.
  private func sourceText(of client: ClientAddress) -> String {
    switch client.address {
    case .ipv4(let host, _): IPNetwork(host, prefixLength: admission.sourcePrefix.ipv4).description
    case .ipv6(let host, _, _): IPNetwork(host, prefixLength: admission.sourcePrefix.ipv6).description
    case .unixPath, .unixAbstract, .unixUnnamed: client.text
    }
  }

  // MARK: - Remarks

  /// Why the client would not come so far.
  private func remarks(on client: ClientAddress) -> [String] {
    guard isEnabled else { return ["\(name) is disabled"] }
    var remarks: [String] = []
    if let missing = unreachability(for: client) { remarks.append(missing) }
    if let device = bindOptions.device, !client.address.isUnix {
      remarks.append("\(name) takes only what comes through the interface \(printable(device))")
    }
    return remarks
  }

  private func unreachability(for client: ClientAddress) -> String? {
    var addresses: [SocketAddress] = []
    for address in streams + datagrams {
      // What the service manager passes may be anything.
      guard case .address(let address, _) = address else { return nil }
      addresses.append(address)
    }
    let alike = addresses.filter { $0.family == client.address.family }
    guard !alike.isEmpty else { return "\(name) listens on no \(client.address.family.rawValue)" }
    guard !client.address.isUnix, !client.isLoopback, alike.allSatisfy(\.isLoopback) else { return nil }
    return "\(name) listens on loopback addresses only, for clients on this machine"
  }
}

extension SocketAddress {
  fileprivate enum Family: String {
    case ipv4 = "IPv4 address"
    case ipv6 = "IPv6 address"
    case unix = "Unix socket"
  }

  fileprivate var family: Family {
    switch self {
    case .ipv4: .ipv4
    case .ipv6: .ipv6
    case .unixPath, .unixAbstract, .unixUnnamed: .unix
    }
  }
}
