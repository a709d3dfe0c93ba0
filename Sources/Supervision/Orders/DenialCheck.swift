import Admission
import Control
@_spi(Begat) import UnixCore

/// Keeps an administrator from denying more than was meant: without a time limit, such a mistake would last.
enum DenialCheck {
  /// Why a network is not denied forever; nil if it may be.
  static func refusal(of network: IPNetwork, service: String?) -> ControlFailure? {
    let place = service ?? "--all"
    if network.prefixLength == 0 {
      return refusal(
        "\(network) is every client; begat drain \(place) closes the service" + (service == nil ? "s" : ""))
    }
    // The control socket is a Unix socket, at which no network counts: its peer can still take the denial back.
    if network.contains(IPv4Address.loopback) || network.contains(IPv6Address.loopback) {
      return refusal("\(network) contains this machine's own address, which proxies and health checks have")
    }
    return nil
  }

  private static func refusal(_ reason: String) -> ControlFailure {
    ControlFailure(
      "\(reason); to deny it all the same, say for how long: --for 10m", exitStatus: ControlFailure.usage)
  }
}
