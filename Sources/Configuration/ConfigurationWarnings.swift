import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// Finds settings that are valid and probably not intended.
struct ConfigurationWarnings {
  private let services: [ServiceConfiguration]
  private let choosesUsers: Bool

  /// - Parameter choosesUsers: whether services can have users of their own.
  init(_ services: [ServiceConfiguration], choosesUsers: Bool) {
    self.services = services.filter(\.settings.enabled)
    self.choosesUsers = choosesUsers
  }

  var all: [ConfigurationProblem] {
    rootByDefault + programsOfRoot + relayedPeers + proxiedPeers + openProxies + unusedProxies + sharedIdentities
      + chosenNobody
      + unkeptRules + openPages
      + unconfined
  }

  /// Some services show what runs here: their administrator should say which other machines may see it.
  private var openPages: [ConfigurationProblem] {
    services.compactMap { service in
      guard let builtIn = service.builtIn, builtIn.needsSupervisor, service.allow == nil,
        let address = service.streams.first(where: \.isOpenToOthers)
      else { return nil }
      let warning =
        builtIn == .status
        ? "shows the status page to every machine that reaches it; set allow to those that may see it"
        : "shows the state of the services to every machine that reaches it; set allow to the addresses of HAProxy"
      return ConfigurationProblem(
        at: service.place, key: keyText(["service", service.name]), message: "\(address) \(warning)")
    }
  }

  private var unconfined: [ConfigurationProblem] {
    services.compactMap { service in
      let key = service.settings.program.allowSetUserID ? "allow-set-user-id" : "sandbox"
      guard !service.settings.isConfined, let origin = service.origins[key] else { return nil }
      return service.warning(
        at: origin,
        "\(service.name) is not confined: an attacker who takes it over can do everything that its user can")
    }
  }

  /// begat cannot keep clients away from a program that accepts them itself.
  private var unkeptRules: [ConfigurationProblem] {
    services.filter(\.waits).flatMap { service in
      ["allow", "deny"].compactMap { key in
        service.origins[key].map { origin in
          service.warning(
            at: origin,
            "has no effect on \(service.name): with wait its program accepts clients itself, and must refuse them itself"
          )
        }
      }
    }
  }

  /// A service that names root itself means it; one that inherits root from `[defaults]` may not.
  private var rootByDefault: [ConfigurationProblem] {
    services.compactMap { service in
      guard service.identity?.user == 0, let origin = service.origins["user"], !service.owns(origin) else { return nil }
      return service.warning(at: origin, "\(service.name) serves as root by this default; set its own user")
    }
  }

  /// Administrators may expect that root bypasses file permissions; without capabilities it does not.
  private var programsOfRoot: [ConfigurationProblem] {
    services.compactMap { service in
      guard service.runsPrograms, service.identity?.user == 0, !service.settings.program.allowSetUserID,
        let origin = service.origins["user"]
      else { return nil }
      return service.warning(
        at: origin,
        "programs of \(service.name) run as root, but run without capabilities: file permissions apply to them; "
          + "set allow-set-user-id = true to keep root's capabilities")
    }
  }

  /// Programs that ask the kernel for their client's address, and decide or log by it.
  private static let peerReaders: Set = [
    "amandad", "cups-lpd", "exim4", "fingerd", "ftpd", "imapd", "in.fingerd", "in.ftpd", "in.identd", "in.rlogind",
    "in.rshd", "in.telnetd", "inetutils-ftpd", "ipop3d", "nrpe", "nullidentd", "proftpd", "pure-ftpd", "rsync",
    "sendmail", "sshd", "stunnel4", "svnserve", "swat", "tcpd", "telnetd", "vsftpd",
  ]

  /// The name of the service's program, if it is such a one.
  private static func peerReader(of service: ServiceConfiguration) -> String? {
    service.settings.exec.first?.split(separator: "/").last.map(String.init).flatMap {
      peerReaders.contains($0) ? $0 : nil
    }
  }

  private var relayedPeers: [ConfigurationProblem] {
    services.compactMap { service in
      guard service.mode.handover == .relayedConnections, let name = Self.peerReader(of: service),
        let origin = service.origins["relay"]
      else { return nil }
      return service.warning(
        at: origin,
        "\(name) asks the kernel for its client's address and finds a relay instead: its own host rules then admit or "
          + "refuse the wrong clients; use allow and deny here, or leave out relay")
    }
  }

  /// The connection of such a program ends at the proxy, whatever the proxy's header says.
  private var proxiedPeers: [ConfigurationProblem] {
    services.compactMap { service in
      guard service.settings.requiresProxies, service.mode.handover == .connections,
        let name = Self.peerReader(of: service), let origin = service.origins["proxy-from"]
      else { return nil }
      return service.warning(
        at: origin,
        "\(name) sees the proxy's address as its client's: its own host rules and log apply to the proxy; use allow "
          + "and deny here, and begat's log")
    }
  }

  /// A peer that is trusted to send headers can claim any client address.
  private var openProxies: [ConfigurationProblem] {
    services.flatMap { service in
      service.proxies.compactMap { entry in
        guard case .network(let network) = entry.peer, network.prefixLength == 0 else { return nil }
        return service.warning(
          at: entry.origin,
          "\(entry.text) lets every machine that reaches \(service.name) claim any client address; "
            + "list only the proxies")
      }
    }
  }

  /// A service with stream sockets for which the `proxy-from` of `[defaults]` cannot hold: clients that were to come through
  /// proxies alone come by themselves.
  private var unusedProxies: [ConfigurationProblem] {
    services.compactMap { service in
      guard service.leavesProxiesOut, !service.streams.isEmpty, let origin = service.origins["proxy-from"] else {
        return nil
      }
      let reason: String
      if service.waits {
        reason = "with wait its program accepts clients itself; let the program itself refuse others"
      } else if !service.datagrams.isEmpty {
        reason = "it answers datagrams, which have no PROXY header; give them a service of their own"
      } else {
        // HAProxy's questions to its agent come without a header.
        return nil
      }
      return service.warning(
        at: origin,
        "does not hold for \(service.name), whose clients come by themselves: \(reason), or write proxy-from = [] there"
      )
    }
  }

  /// Programs of one user can read, signal and trace each other.
  private var sharedIdentities: [ConfigurationProblem] {
    // OwnIdentities warns of services without a number, and `chosenNobody` of those that set the user nobody.
    let others = [0, Users.nobody.user]
    let choosing = services.filter {
      choosesUsers && $0.runsPrograms && $0.origins["user"] != nil && !others.contains($0.identity?.user ?? 0)
    }
    let users = Dictionary(grouping: choosing) { $0.identity?.user ?? 0 }
    return choosing.compactMap { service -> ConfigurationProblem? in
      guard let user = service.identity?.user, let sharing = users[user], sharing.count > 1,
        sharing[1].name == service.name
      else { return nil }
      let text =
        "programs of \(list(sharing)) all run as \(printable(Users.name(of: user) ?? String(user))) and can signal and trace "
        + "each other; leave user out, so that each has a user of its own, or set different ones"
      return ConfigurationProblem(at: service.place, key: keyText(["service", service.name]), message: text)
    }
  }

  /// The user nobody is shared with other programs of the machine.  Services had it before they had users of their own, so
  /// that old configurations may name it.
  private var chosenNobody: [ConfigurationProblem] {
    let nobody = Users.nobody.user
    let choosing = services.filter { choosesUsers && $0.origins["user"] != nil && $0.identity?.user == nobody }
    guard let first = choosing.first, let origin = first.origins["user"] else { return [] }
    let use = "as nobody, which other programs of this machine may use too"
    let text =
      choosing.count == 1
      ? "\(first.name) runs \(use): they can signal and trace its processes; leave user out, so that it has a user of its own"
      : "\(list(choosing)) run \(use): all of them can signal and trace each other; leave user out, so that each has a user "
        + "of its own"
    return [first.warning(at: origin, text)]
  }

  /// The names of two services or more, cut short if they are many.
  private func list(_ services: [ServiceConfiguration]) -> String {
    let names = services.map(\.name)
    let shown = names.count <= 4 ? names : names.prefix(3) + ["\(names.count - 3) more"]
    return shown.dropLast().joined(separator: ", ") + " and " + shown[shown.count - 1]
  }
}

extension ListenAddress {
  /// Whether other machines reach it, as far as the address says.
  fileprivate var isOpenToOthers: Bool {
    guard case .address(let address, _) = self else { return false }
    return !address.isUnix && !address.isLoopback
  }
}

extension ServiceConfiguration {
  fileprivate func owns(_ origin: Origin) -> Bool { origin.key.hasPrefix(keyText(["service", name]) + ".") }

  fileprivate func warning(at origin: Origin, _ message: String) -> ConfigurationProblem {
    ConfigurationProblem(at: origin.place, key: origin.key, message: message)
  }
}
