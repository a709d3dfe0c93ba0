import Configuration
import Settings
@_spi(Begat) import UnixCore

/// How a service of a new configuration differs from the one in force, by what has an effect: where a setting stands in
/// the files, and by which words, does not matter.
struct ServiceComparison {
  /// Keys and inputs that differ.
  private(set) var reasons: [String] = []
  /// Whether its listener would be given something else.
  private(set) var needsListener = false

  /// - Parameter hasSameSockets: whether the service goes on with the very sockets that it has.
  /// - Parameter kinds: of its sockets.
  /// - Parameter datagramPortsChange: whether the ports change at which services of begatd answer datagrams.
  init(
    old: ReloadPlan.Running, new: LoadedService, hasSameSockets: Bool, kinds: Set<ServiceMode.SocketKind>,
    datagramPortsChange: Bool
  ) {
    let before = old.configuration
    let after = new.configuration
    if !hasSameSockets {
      needsListener = true
      let differing = ServiceComparison.listenKeys.filter { ServiceComparison.differs($0, before, after) }
      reasons = differing.isEmpty ? ["sockets"] : differing
    }
    compareSettings(before, after, kinds)
    let inputs = new.inputs.differences(from: old.inputs)
    if !inputs.isEmpty {
      needsListener = true
      reasons += inputs
    }
    if datagramPortsChange, kinds.contains(.internetDatagram) {
      needsListener = true
      if reasons.isEmpty { reasons.append("ports of other services") }
    }
  }

  private mutating func compareSettings(
    _ before: ServiceConfiguration, _ after: ServiceConfiguration, _ kinds: Set<ServiceMode.SocketKind>
  ) {
    let hasSameAccess = before.socketAccess.isEqual(to: after.socketAccess)
    // The usual case, without looking at each key.
    if before.settings == after.settings, before.identity == after.identity, before.mode == after.mode,
      before.loginEnvironment == after.loginEnvironment, hasSameAccess
    {
      return
    }
    let options = [before, after].map { ListenerOptions($0, sockets: kinds, hasResolver: $0.settings.looksUpNames) }
    if options[0] != options[1] {
      needsListener = true
      let exec = before.settings.exec == after.settings.exec ? [] : ["exec"]
      let others = ListenerOptions.keys.filter { $0.value(in: options[0]) != $0.value(in: options[1]) }.map(\.name)
      reasons += exec + others.filter { $0 != "groups" }
      if reasons.isEmpty { reasons.append("groups of its user") }
    }
    let count = reasons.count
    reasons += ServiceComparison.socketKeys.filter { ServiceComparison.differs($0, before, after) }
    if !hasSameAccess, reasons.count == count { reasons.append("numbers of its socket's owners") }
  }

  private static let listenKeys = ["listen-stream", "listen-datagram"]
  /// Keys that begatd obeys itself, for sockets that listeners go on using.
  private static let socketKeys = [
    "socket-mode", "socket-user", "socket-group", "backlog", "free-bind", "bind-to-device",
  ]

  private static func differs(_ name: String, _ before: ServiceConfiguration, _ after: ServiceConfiguration) -> Bool {
    guard let key = ServiceSettings.key(named: name) else { return false }
    return key.value(in: before.settings) != key.value(in: after.settings)
  }
}

extension UnixSocketFile.Access {
  fileprivate func isEqual(to other: UnixSocketFile.Access) -> Bool {
    mode == other.mode && user == other.user && group == other.group
  }
}
