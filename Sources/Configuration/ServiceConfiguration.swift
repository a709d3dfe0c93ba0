import Admission
import Settings
@_spi(Begat) import UnixCore

/// An entry of `allow`, `deny` or `proxy-from`.
public struct AccessEntry: Hashable, Sendable {
  public let peer: AccessPeer
  /// As written.
  public let text: String
  /// The place of this entry.
  public let origin: Origin
}

/// A service as it will be served: its table, what that leaves out taken from `[defaults]` and begat's own defaults.
public struct ServiceConfiguration: Sendable {
  public var name: String
  /// Where its table begins.
  public var place: Place
  /// Those that have an effect; the others have their defaults.
  public var settings: ServiceSettings
  public var mode: ServiceMode
  public var streams: [ListenAddress]
  public var datagrams: [ListenAddress]
  /// Owner and mode of Unix sockets that begatd creates.
  public var socketAccess: UnixSocketFile.Access
  /// The identity that its listener runs as; nil is begatd's own.
  public var identity: Identity?
  /// The name of its user where that is its own, which no setting names.
  public var ownUser: String?
  /// The login variables of its programs; nil without `login-environment`.
  public var loginEnvironment: LoginEnvironment?
  /// The peers of `allow` in `admission`, in the same order, each with the place that names it; nil admits every client.
  public var allow: [AccessEntry]?
  /// The entries of `deny`, with the places that set them, in the order of `admission.deny`.
  public var deny: [AccessEntry]
  /// The entries of `proxy-from`, with the places that set them, in the order of `admission.proxies`.
  public var proxies: [AccessEntry] = []
  /// Whether `[defaults]` names proxies, and they cannot hold for it.
  var leavesProxiesOut = false
  /// Where the keys that hold for it stand, by name; begat's own defaults stand nowhere.
  public var origins: [String: Origin]
  /// Names of the keys that its own table sets.
  public var ownKeys: Set<String>
}

extension ServiceConfiguration {
  /// A service that no configuration has any more, of which listeners are left.
  public init(left name: String, settings: ServiceSettings, waits: Bool) {
    self.init(
      name: name, place: Place(file: "", line: 0, column: 0), settings: settings,
      mode: ServiceMode(offer: .program(waits ? .sockets : .connections), sockets: []), streams: [], datagrams: [],
      socketAccess: UnixSocketFile.Access(), deny: [], origins: [:], ownKeys: [])
  }

  /// Nil for a program.
  public var builtIn: BuiltIn? { mode.builtIn }
  /// Whether it executes programs, as the service or as commands of the command server.
  var runsPrograms: Bool { builtIn == nil || !settings.commands.isEmpty }
  /// Whether its program accepts clients itself.
  public var waits: Bool { mode.handover == .sockets }

  /// What holds for its datagrams; nil when it answers none.
  public var datagramLimits: AdmissionLimits? {
    builtIn == nil || datagrams.isEmpty ? nil : settings.datagramAdmission
  }
}
