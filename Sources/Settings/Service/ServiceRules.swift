@_spi(Begat) import UnixCore

/// A rule about keys that a service breaks.
public struct RuleViolation: Hashable, Sendable {
  /// The key to blame.
  public let key: String
  public let message: String
  /// A key that the message mentions, whose place helps.
  public let other: String?

  init(_ key: String, _ message: String, other: String? = nil) {
    self.key = key
    self.message = message
    self.other = other
  }
}

/// Rules about keys that go together, wherever they are read.
public enum ServiceRules {
  /// - Parameter settings: the values that hold, with their defaults.
  /// - Parameter own: names of the keys that a service's own table or a command line sets: they must have an effect.
  public static func violations(
    of settings: ServiceSettings, own: Set<String>, in mode: ServiceMode
  ) -> [RuleViolation] {
    withoutEffect(settings, own, mode) + offerViolations(settings, mode) + datagramViolations(settings, mode)
      + niceViolations(settings, mode) + sandboxViolations(settings, own, mode)
  }

  /// A built-in service and a program together: no mode is known then.
  public static func offerProblem(_ settings: ServiceSettings) -> RuleViolation? {
    settings.serve != nil && !settings.exec.isEmpty
      ? RuleViolation("exec", "expected either serve or exec", other: "serve") : nil
  }

  public static let nothingOffered =
    "expected serve, one of \(BuiltIn.allCases.map(\.rawValue).joined(separator: ", ")), or exec, a program's path and arguments"
  public static let nothingListened = "expected listen-stream or listen-datagram with an address"

  private static func withoutEffect(
    _ settings: ServiceSettings, _ own: Set<String>, _ mode: ServiceMode
  ) -> [RuleViolation] {
    ServiceSettings.keys.compactMap { key in
      // An empty list takes back the proxies of `[defaults]`, which matters where they cannot hold.
      guard own.contains(key.name), key.name != "proxy-from" || settings.requiresProxies,
        let reason = key.reasonWithoutEffect(settings, mode)
      else { return nil }
      return RuleViolation(key.name, reason)
    }
  }

  private static func offerViolations(_ settings: ServiceSettings, _ mode: ServiceMode) -> [RuleViolation] {
    var violations: [RuleViolation] = []
    if mode.isStdio, mode.handover != nil {
      violations.append(RuleViolation("exec", "not with stdio: execute the program itself, it has the descriptors"))
    }
    if mode.isStdio, let builtIn = mode.builtIn, builtIn.needsSupervisor {
      violations.append(RuleViolation("serve", "\(builtIn.rawValue) shows what begatd knows: only begatd can offer it"))
    }
    if mode.handover == .sockets, settings.relay {
      violations.append(RuleViolation("wait", "expected either relay or wait", other: "relay"))
    }
    return violations
  }

  private static func datagramViolations(_ settings: ServiceSettings, _ mode: ServiceMode) -> [RuleViolation] {
    guard mode.sockets.contains(where: { !$0.isStream }) else { return [] }
    guard let builtIn = mode.builtIn else {
      return mode.handover == .sockets
        ? [] : [RuleViolation("listen-datagram", "a program takes datagrams only with wait = true")]
    }
    guard builtIn.answersDatagrams else {
      return [RuleViolation("listen-datagram", "\(builtIn.rawValue) takes no datagrams")]
    }
    let namesNetworks = (settings.allow ?? []).contains { !$0.hasPrefix("unix:") }
    guard builtIn.requiresAllowListForDatagrams, mode.sockets.contains(.internetDatagram), !namesNetworks,
      settings.allow != []
    else { return [] }
    return [
      RuleViolation(
        "listen-datagram",
        "anybody could have \(builtIn.rawValue) send its answers to a third party; "
          + "set allow to the networks that may ask")
    ]
  }

  private static func niceViolations(_ settings: ServiceSettings, _ mode: ServiceMode) -> [RuleViolation] {
    if settings.program.nice != 0, !mode.mayChangeNice {
      return [
        RuleViolation(
          "nice",
          "a filter of system calls forbids setpriority(2); permit it (SystemCallFilter=@resources in the unit), or leave "
            + "nice out")
      ]
    }
    guard settings.program.nice < min(0, mode.leastNice) else { return [] }
    return [
      RuleViolation(
        "nice",
        "a value below \(mode.leastNice) needs CAP_SYS_RESOURCE or a limit RLIMIT_NICE (LimitNICE=), "
          + "found \(settings.program.nice)"
      )
    ]
  }

  private static func sandboxViolations(
    _ settings: ServiceSettings, _ own: Set<String>, _ mode: ServiceMode
  ) -> [RuleViolation] {
    if settings.sandbox == .required, let missing = mode.missingForSandbox {
      return [
        RuleViolation("sandbox", "is not available on this machine: \(missing); fix that or set sandbox = \"on\"")
      ]
    }
    if settings.program.allowSetUserID {
      if settings.sandbox == .required {
        return [
          RuleViolation("allow-set-user-id", "cannot go with sandbox = \"required\"; remove one", other: "sandbox")
        ]
      }
      if mode.hasNoNewPrivileges {
        return [
          RuleViolation(
            "allow-set-user-id",
            "would have no effect: begat itself was started with no_new_privs; remove NoNewPrivileges= from its unit")
        ]
      }
      if mode.hasCutBoundingSet {
        return [
          RuleViolation(
            "allow-set-user-id",
            "needs a restart of begatd, which gave up all other capabilities at its start because no service had the key"
          )
        ]
      }
    }
    guard settings.sandbox == .off || settings.program.allowSetUserID else { return [] }
    let (reason, key) =
      settings.program.allowSetUserID
      ? ("allow-set-user-id", "allow-set-user-id") : ("sandbox = \"off\"", "sandbox")
    return ["read-only-paths", "read-write-paths", "network"].filter(own.contains).map {
      RuleViolation($0, "has no effect with \(reason)", other: key)
    }
  }

  public static func missingInterface(_ address: ListenAddress) -> String {
    "a link-local address needs its interface, as in [fe80::1%eth0]:7; found \(address)"
  }

  /// Peers that are allowed and denied alike, by their places in the lists: one of the two was not meant.
  public static func contradictions<Peer: Hashable>(allow: [Peer], deny: [Peer]) -> [(allow: Int, deny: Int)] {
    var allowed: [Peer: Int] = [:]
    for (index, peer) in allow.enumerated() where allowed[peer] == nil { allowed[peer] = index }
    return deny.enumerated().compactMap { index, peer in allowed[peer].map { (allow: $0, deny: index) } }
  }
}

extension Key {
  /// Why the key has no effect on a service; nil if it has one.
  public func reasonWithoutEffect(_ settings: ServiceSettings, _ mode: ServiceMode) -> String? {
    for condition in conditions {
      if let reason = condition.reason(settings, mode) { return reason }
    }
    return nil
  }
}

extension ListenAddress {
  /// Whether the kernel needs to be told an interface to bind it.
  ///
  /// Source: RFC 4291 section 2.5.6.
  public var lacksInterface: Bool {
    guard case .address(.ipv6(let host, _, scope: 0), _) = self else { return false }
    return host.high >> 54 == 0xfe80 >> 6
  }
}
