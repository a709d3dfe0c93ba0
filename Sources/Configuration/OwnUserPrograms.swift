import Glibc
import Settings

/// Programs that run under begatd's own user, where that is not root: they can connect to its control socket.
extension Configuration {
  /// The services that run such programs.
  ///
  /// - Parameter user: what begatd runs as.
  public func servicesOfOwnUser(_ user: uid_t = geteuid()) -> [ServiceConfiguration] {
    services.filter { service in
      let isOwn = service.identity.map { $0.user == user } ?? true
      return service.settings.enabled && isOwn && service.runsPrograms
    }
  }

  /// The warning that holds if begatd is started by hand: under a service manager it would obey root alone.
  ///
  /// - Parameter user: what begatd runs as.
  public func warningsByHand(user: uid_t = geteuid()) -> [ConfigurationProblem] {
    guard user != 0, control != nil else { return [] }
    return servicesOfOwnUser(user).map { service in
      ConfigurationProblem(
        at: service.place, key: keyText(["service", service.name]),
        message: "its programs run as begatd's own user and can command begatd through its control socket, unless the "
          + "machine's service manager starts begatd; control-socket = \"none\" in [daemon] opens none")
    }
  }
}
