import Admission
import ControlProtocol
import UnixIPC

/// Which keys go together in a service.
///
/// A key of its own table that has no effect is a problem; one of `[defaults]` is for other services.
struct ServiceRules {
  private static let programKeys: [ServiceKey] = [
    .environment, .workingDirectory, .umask, .nice, .limitMemory, .limitCPU, .limitOpenFiles, .limitProcesses,
  ]
  /// About clients, whom begat does not meet where the program accepts them itself.
  private static let clientKeys: [ServiceKey] = [
    .allow, .deny, .maxConnections, .maxConnectionsPerSource, .ratePerSource, .sourcePrefix, .whenFull, .refusal,
    .firstByteTimeout, .idleTimeout, .keepAlive,
  ]

  let settings: LayeredSettings
  let offer: Offer
  let isRoot: Bool

  func check(problems: inout ProblemCollector) {
    switch offer {
    case .builtIn(let builtIn): check(builtIn, problems: &problems)
    case .program(let handover): check(handover, problems: &problems)
    }
    checkLinkLocalAddresses(problems: &problems)
    checkAccess(problems: &problems)
    if let nice = settings.nice, nice.value < 0, !isRoot {
      problems.add(nice.setting.problem("only root can go below 0, found \(nice.value)"))
    }
  }

  /// Notes that keys of the service's own table have no effect.
  private func refuse(_ keys: [ServiceKey], _ message: String, problems: inout ProblemCollector) {
    for key in keys {
      if let setting = settings.own.setting(key) { problems.add(setting.problem(message)) }
    }
  }

  private func check(_ builtIn: BuiltIn, problems: inout ProblemCollector) {
    refuse([.relay, .wait], "only with exec; \(builtIn.rawValue) is built in", problems: &problems)
    if builtIn != .command || (settings.commands ?? []).isEmpty {
      refuse(ServiceRules.programKeys, "only with exec or commands; no program is executed here", problems: &problems)
    }
    if builtIn != .command {
      refuse([.commands], "only with serve = \"command\"; \(builtIn.rawValue) has no commands", problems: &problems)
    }
    if !builtIn.tellsFortunes { refuse([.fortune], "\(builtIn.rawValue) tells no fortunes", problems: &problems) }
    checkDatagrams(of: builtIn, problems: &problems)
  }

  private func checkDatagrams(of builtIn: BuiltIn, problems: inout ProblemCollector) {
    guard let addresses = settings.datagrams, !addresses.isEmpty, let setting = settings.setting(.listenDatagram) else {
      return
    }
    guard builtIn.answersDatagrams else {
      return problems.add(setting.problem("\(builtIn.rawValue) takes no datagrams"))
    }
    guard builtIn.answersDatagramsToNamedOnly, addresses.contains(where: \.value.isInternet) else { return }
    let namesNetworks = (settings.allow ?? []).contains { entry in
      if case .network = entry.value.peer { true } else { false }
    }
    // A faulty list is a problem already.
    let isFaulty = settings.allow == nil && settings.setting(.allow) != nil
    if !namesNetworks, !isFaulty {
      problems.add(
        setting.problem(
          "anybody could have \(builtIn.rawValue) send its answers to others, in their name; "
            + "set allow to the networks that may ask"))
    }
  }

  private func check(_ handover: Handover, problems: inout ProblemCollector) {
    refuse([.commands], "only with serve = \"command\"", problems: &problems)
    refuse([.fortune], "a program tells no fortunes of begat's", problems: &problems)
    if let datagrams = settings.datagrams, !datagrams.isEmpty, handover != .sockets,
      let setting = settings.setting(.listenDatagram)
    {
      problems.add(setting.problem("a program takes datagrams only with wait = true"))
    }
    switch handover {
    case .relayedConnections: break
    case .connections:
      refuse(
        [.firstByteTimeout, .idleTimeout], "needs relay = true with exec: else nobody watches the time",
        problems: &problems)
    case .sockets:
      refuse(
        ServiceRules.clientKeys, "has no effect with wait: the program itself accepts", problems: &problems)
      if settings.relay ?? false, let relay = settings.setting(.relay), let wait = settings.setting(.wait) {
        problems.add(wait.problem("expected either relay or wait; relay is at \(relay.place)"))
      }
    }
  }

  /// The kernel binds none without knowing through which interface.
  private func checkLinkLocalAddresses(problems: inout ProblemCollector) {
    guard settings.device == nil else { return }
    for address in (settings.streams ?? []) + (settings.datagrams ?? []) where address.value.lacksInterface {
      problems.add(
        address.setting.problem(
          "a link-local address needs its interface, as in [fe80::1%eth0]:7; found \(address.value)"))
    }
  }

  /// What is allowed and denied alike was not meant.
  private func checkAccess(problems: inout ProblemCollector) {
    var allowed: [AccessPeer: Origin] = [:]
    for entry in settings.allow ?? [] where allowed[entry.value.peer] == nil {
      allowed[entry.value.peer] = entry.value.origin
    }
    for entry in settings.deny ?? [] {
      guard let origin = allowed[entry.value.peer] else { continue }
      problems.add(entry.setting.problem("\(entry.value.text) is also in allow, at \(origin.place); remove one"))
    }
  }
}

extension ListenAddress {
  /// Whether others may ask from elsewhere; the manager's sockets may be of any kind.
  fileprivate var isInternet: Bool {
    switch self {
    case .address(let address, _): !address.isUnix
    case .passed: true
    }
  }

  /// Source: RFC 4291 section 2.5.6.
  fileprivate var lacksInterface: Bool {
    guard case .address(.ipv6(let host, _, scope: 0), _) = self else { return false }
    return host.high >> 54 == 0xfe80 >> 6
  }
}
