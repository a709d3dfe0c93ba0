import Admission
import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// What would happen to a client of a service, and by which line of which file.
public struct AccessExplanation: Sendable {
  /// Lines for people.
  public let text: String
  public let isAdmitted: Bool
}

extension Configuration {
  /// Nil when there is no such service.
  ///
  /// - Parameter proxy: the proxy that names the client; nil for a client that connects directly.
  public func explanation(
    of client: ClientAddress, via proxy: ClientAddress? = nil, to service: String
  ) -> AccessExplanation? {
    services.first { $0.name == service }.map { $0.explanation(of: client, via: proxy) }
  }

  /// The service that was probably meant.
  public func nearestService(to name: String) -> String? { nearestName(to: name, among: services.map(\.name)) }
}

extension ServiceConfiguration {
  fileprivate func explanation(of client: ClientAddress, via proxy: ClientAddress?) -> AccessExplanation {
    guard let proxy else { return settings.requiresProxies ? explanation(ofPeer: client) : explanation(of: client) }
    guard settings.requiresProxies else {
      let remark = "remark: \(name) has no proxy-from: a PROXY header is data to it, and its client is \(proxy.text)\n"
      let explanation = explanation(of: proxy)
      return AccessExplanation(text: explanation.text + remark, isAdmitted: explanation.isAdmitted)
    }
    return explanation(of: client, namedBy: proxy)
  }

  private func explanation(of client: ClientAddress) -> AccessExplanation {
    explanation(of: client, head: "\(client.text) to \(name): ", from: client, reason: "")
  }

  /// - Parameter peer: the other end of the connection: the client, or the proxy that has named it.
  /// - Parameter reason: a line about the proxy.
  private func explanation(
    of client: ClientAddress, head: String, from peer: ClientAddress, reason: String
  ) -> AccessExplanation {
    let remarks = remarksText(on: peer)
    guard !waits else {
      let origin = originText(of: "wait")
      return AccessExplanation(
        text: head + "the program decides, it accepts connections itself\n  \(origin)\n" + remarks, isAdmitted: true)
    }
    if let refusal = refusalByMode(of: peer) {
      return AccessExplanation(text: head + "refused by the kernel\n  \(refusal)\n" + remarks, isAdmitted: false)
    }
    let rule = AccessRules(allow: settings.admission.allow, deny: settings.admission.deny)
      .decision(on: client.address, user: client.user)
    var text = head + (rule.isAllowed ? "admitted" : "refused") + "\n\(reason)  \(ruleText(rule))\n"
    if rule.isAllowed { text += limitsText(for: client) }
    return AccessExplanation(text: text + remarks, isAdmitted: rule.isAllowed)
  }

  /// A client of a service whose clients are named by proxies.
  private func explanation(of client: ClientAddress, namedBy proxy: ClientAddress) -> AccessExplanation {
    let head = "\(client.text) via \(proxy.text) to \(name): "
    guard let entry = proxyEntry(of: proxy) else {
      let text = head + "refused\n  \(originText(of: "proxy-from")): names other proxies only\n"
      return AccessExplanation(text: text + remarksText(on: proxy), isAdmitted: false)
    }
    let reason = "  \(entry.origin): \(entry.text) may name its clients\n"
    return explanation(of: client, head: head, from: proxy, reason: reason)
  }

  /// A peer that comes to such a service without a proxy, or is a proxy itself.
  private func explanation(ofPeer peer: ClientAddress) -> AccessExplanation {
    let head = "\(peer.text) to \(name): "
    guard let entry = proxyEntry(of: peer) else {
      let text = head + "refused\n  \(originText(of: "proxy-from")): clients come through proxies only (--via PROXY)\n"
      return AccessExplanation(text: text + remarksText(on: peer), isAdmitted: false)
    }
    let text =
      head + "a proxy, which names its clients (--from CLIENT --via \(peer.text))\n  \(entry.origin): \(entry.text)\n"
    return AccessExplanation(text: text + remarksText(on: peer), isAdmitted: true)
  }

  /// The entry of `proxy-from` that lets a peer name its clients.
  private func proxyEntry(of peer: ClientAddress) -> AccessEntry? {
    switch AccessRules(allow: proxies.map(\.peer), deny: []).decision(on: peer.address, user: peer.user) {
    case .allow(let index): proxies[index]
    case .deny, .notAllowed, .open: nil
    }
  }

  private func ruleText(_ rule: AccessRules.Rule) -> String {
    switch rule {
    case .allow(let index): (allow?[index]).map { "\($0.origin): \($0.text)" } ?? ""
    case .deny(let index): "\(deny[index].origin): \(deny[index].text)"
    case .notAllowed: originText(of: "allow") + (allow == [] ? ": is empty: nobody may connect" : ": names others only")
    case .open: deny.isEmpty ? "nothing is said about it: everybody may connect" : "nothing is said about it"
    }
  }

  /// Why the user cannot connect to any of the service's Unix sockets: their modes decide before begat does.
  private func refusalByMode(of client: ClientAddress) -> String? {
    guard let number = client.user, number != 0 else { return nil }
    let paths = (streams + datagrams).filter { $0.kinds(isStream: true) == [.unixStream] }
    guard !paths.isEmpty, paths.allSatisfy(\.isPath), let user = Users.find(number)?.identity else { return nil }
    let owner = socketAccess.user ?? geteuid()
    let group = socketAccess.group ?? getegid()
    let bit: UInt32 =
      if user.user == owner { 0o200 } else if user.group == group || user.groups.contains(group) { 0o020 } else {
        0o002
      }
    guard socketAccess.mode & bit == 0 else { return nil }
    let key = ["socket-mode", "socket-user", "socket-group"].first { origins[$0] != nil } ?? "socket-mode"
    return "\(originText(of: key)): the mode of its sockets does not let this user connect"
  }

  private func originText(of key: String) -> String { origins[key]?.description ?? "begat's default" }

  // MARK: - Limits

  private func limitsText(for client: ClientAddress) -> String {
    var text = ""
    if !streams.isEmpty || datagramLimits == nil {
      text += "limits:\n" + limitTable(settings.admission, of: client, isOfDatagrams: false)
    }
    if let datagrams = datagramLimits {
      text += "limits of datagrams:\n" + limitTable(datagrams, of: client, isOfDatagrams: true)
    }
    return text
  }

  private func limitTable(_ limits: AdmissionLimits, of client: ClientAddress, isOfDatagrams: Bool) -> String {
    var rows: [[String]] = []
    func add(_ key: String, _ value: String) { rows.append([key, value, originText(of: key)]) }
    let source = "\(sourceText(of: client)) counts as one source"
    if let key = prefixKey(of: client) { add(key, source) } else { rows.append(["source", source]) }
    if !isOfDatagrams { add("max-connections-per-source", String(limits.maxConnectionsPerSource)) }
    add("rate-per-source", limits.ratePerSource.text)
    if !isOfDatagrams, let time = limits.denyTime { add("deny-time", DenyTimeText.render(time)) }
    if !isOfDatagrams { add("max-connections", String(limits.maxConnections)) }
    add("rate", limits.rate.text)
    if !isOfDatagrams { add("when-full", limits.whenFull.rawValue) }
    return TextTable.aligned(rows, indent: "  ")
  }

  /// The key that makes several addresses one source; nil for users of this machine.
  private func prefixKey(of client: ClientAddress) -> String? {
    switch client.address {
    case .ipv4: "source-prefix.ipv4"
    case .ipv6: "source-prefix.ipv6"
    case .unixPath, .unixAbstract, .unixUnnamed: nil
    }
  }

  /// The clients that share the limits per source.
  private func sourceText(of client: ClientAddress) -> String {
    switch client.address {
    case .ipv4(let host, _): IPNetwork(host, prefixLength: settings.admission.sourcePrefix.ipv4).description
    case .ipv6(let host, _, _): IPNetwork(host, prefixLength: settings.admission.sourcePrefix.ipv6).description
    case .unixPath, .unixAbstract, .unixUnnamed: client.text
    }
  }

  // MARK: - Remarks

  private func remarksText(on client: ClientAddress) -> String {
    remarks(on: client).map { "remark: \($0)\n" }.joined()
  }

  /// Why the client would not come so far.
  private func remarks(on client: ClientAddress) -> [String] {
    guard settings.enabled else { return ["\(name) is disabled"] }
    var remarks: [String] = []
    if let missing = unreachability(for: client) { remarks.append(missing) }
    if let device = settings.bindToDevice, !client.address.isUnix {
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
