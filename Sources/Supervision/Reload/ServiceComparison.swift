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
    // The usual case, without looking at each key.
    let isSame = before.settings == after.settings && before.identity == after.identity && before.mode == after.mode
    reasons = isSame ? [] : ServiceComparison.differingKeys(before, after)
    let inputs = new.inputs.differences(from: old.inputs)
    if !isSame || !hasSameSockets {
      let options = [before, after].map { ListenerOptions($0, sockets: kinds, hasResolver: $0.settings.looksUpNames) }
      needsListener = options[0] != options[1]
      if needsListener, reasons.isEmpty { reasons.append("users, groups or ports that its names stand for") }
    }
    if !hasSameSockets {
      needsListener = true
      if reasons.isEmpty { reasons.append("sockets") }
    }
    if !inputs.isEmpty {
      needsListener = true
      reasons += inputs
    }
    if datagramPortsChange, kinds.contains(.internetDatagram) {
      needsListener = true
      if reasons.isEmpty { reasons.append("ports of datagram services") }
    }
  }

  private static func differingKeys(_ before: ServiceConfiguration, _ after: ServiceConfiguration) -> [String] {
    ServiceSettings.keys.filter { $0.value(in: before.settings) != $0.value(in: after.settings) }.map(\.name)
  }
}
