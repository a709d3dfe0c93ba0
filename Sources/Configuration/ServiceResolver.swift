import Admission
import Confinement
import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// A service, and the settings to blame where its addresses do not fit.
struct ResolvedService {
  let configuration: ServiceConfiguration
  let streams: [PlacedAddress]
  let datagrams: [PlacedAddress]
}

/// Makes a service of its table, of `[defaults]` and of begat's own defaults.
struct ServiceResolver {
  let surroundings: Surroundings
  let lookups: NameServiceLookups
  private let identities: OwnIdentities
  /// `[defaults]`, on top of begat's own.
  private let defaults: ServiceSettings
  private let defaultKeys: MentionedKeys
  private let reader = TableReader<ServiceSettings>(elsewhere: ["[daemon]": DaemonSettings.keys.map(\.name)])

  init(
    surroundings: Surroundings, identities: OwnIdentities, defaults table: Setting?, problems: inout ProblemCollector
  ) {
    self.surroundings = surroundings
    self.identities = identities
    lookups = NameServiceLookups(runtimeDirectory: surroundings.runtimeDirectory)
    var defaults = ServiceSettings()
    defaultKeys = reader.read(table, into: &defaults, problems: &problems)
    self.defaults = defaults
    // Problems of values that no service takes over are problems all the same.
    var machine = MachineSettings(
      settings: defaults, keys: ServiceKeys(own: defaultKeys), surroundings, lookups)
    machine.resolve(problems: &problems)
  }

  /// - Returns: nil if not even the kind of service is known; there is a problem then that says so.
  func resolve(_ table: Setting, problems: inout ProblemCollector) -> ResolvedService? {
    guard problems.collect(try table.members()) != nil, hasValidName(table, problems: &problems) else { return nil }
    var settings = defaults
    let own = reader.read(table, into: &settings, problems: &problems)
    let keys = ServiceKeys(own: own, defaults: defaultKeys)
    chooseOffer(&settings, own)
    var machine = MachineSettings(settings: settings, keys: keys, surroundings, lookups)
    machine.resolve(problems: &problems)
    checkListens(table, settings, keys, problems: &problems)
    guard let offer = offer(settings, table: table, keys, problems: &problems) else { return nil }
    settings.admission.allow = machine.allow?.map(\.peer)
    settings.admission.deny = machine.deny.map(\.peer)
    settings.admission.denyExempt = machine.denyExempt.map(\.peer)
    settings.admission.proxies = machine.proxies.map(\.peer)
    let mode = mode(offer, machine, mayChangeNice: settings.program.nice == 0 || surroundings.mayChangeNice())
    check(settings, keys, mode, machine, problems: &problems)
    let ownUser = keys["user"] == nil ? identities.identity(of: table.name) : nil
    if keys["user"] == nil, settings.enabled, let fault = identities.fault(of: table.name) {
      problems.add(table.problem(fault))
    }
    let identity = machine.identity(own: ownUser?.identity, problems: &problems)
    if settings.enabled, let user = identity ?? (surroundings.choosesUsers ? nil : surroundings.identity) {
      let check = ProgramCheck(
        identity: user, keepsCapabilities: settings.program.allowSetUserID,
        isOwn: user.user == surroundings.identity.user, ownUser: ownUser?.name)
      check.check(settings, mode, keys, problems: &problems)
    }
    let effective = settings.effective(in: mode)
    let login =
      effective.program.loginEnvironment
      ? LoginEnvironment(identity?.user ?? surroundings.identity.user, ownUser: ownUser?.name) : nil
    let acceptsItself = mode.handover == .sockets
    let configuration = ServiceConfiguration(
      name: table.name, place: table.place, settings: effective, mode: mode,
      streams: machine.streams.map(\.address), datagrams: machine.datagrams.map(\.address),
      socketAccess: machine.socketAccess, identity: identity, ownUser: ownUser?.name, loginEnvironment: login,
      allow: acceptsItself ? nil : machine.allow,
      deny: acceptsItself ? [] : machine.deny, proxies: effective.requiresProxies ? machine.proxies : [],
      leavesProxiesOut: settings.requiresProxies && !effective.requiresProxies,
      origins: keys.origins,
      ownKeys: keys.own.names)
    return ResolvedService(configuration: configuration, streams: machine.streams, datagrams: machine.datagrams)
  }

  /// What the service's own table offers takes the place of what `[defaults]` offers.
  private func chooseOffer(_ settings: inout ServiceSettings, _ own: MentionedKeys) {
    if own["serve"] != nil, own["exec"] == nil { settings.exec = [] }
    if own["exec"] != nil, own["serve"] == nil { settings.serve = nil }
    if own["wait"] != nil, own["relay"] == nil, settings.wait { settings.relay = false }
    if own["relay"] != nil, own["wait"] == nil, settings.relay { settings.wait = false }
  }

  private func offer(
    _ settings: ServiceSettings, table: Setting, _ keys: ServiceKeys, problems: inout ProblemCollector
  ) -> ServiceOffer? {
    if let violation = ServiceRules.offerProblem(settings) {
      keys.add(violation, table: table, problems: &problems)
      return nil
    }
    if let offer = settings.offer { return offer }
    if keys.own["serve"] == nil, keys.own["exec"] == nil, !keys.isFaulty("serve"), !keys.isFaulty("exec") {
      problems.add(table.problem(ServiceRules.nothingOffered))
    }
    return nil
  }

  private func mode(_ offer: ServiceOffer, _ machine: MachineSettings, mayChangeNice: Bool) -> ServiceMode {
    var sockets: Set<ServiceMode.SocketKind> = []
    var bound: Set<ServiceMode.SocketKind> = []
    for (addresses, isStream) in [(machine.streams, true), (machine.datagrams, false)] {
      for placed in addresses {
        sockets.formUnion(placed.address.kinds(isStream: isStream))
        if let kind = placed.address.boundKind(isStream: isStream) { bound.insert(kind) }
      }
    }
    if machine.hasFaultyAddresses {
      sockets.formUnion(ServiceMode.SocketKind.allCases)
      bound.formUnion(ServiceMode.SocketKind.allCases)
    }
    let bindsPaths = machine.hasFaultyAddresses || (machine.streams + machine.datagrams).contains { $0.address.isPath }
    return ServiceMode(
      offer: offer, sockets: sockets, bound: bound, bindsPaths: bindsPaths, leastNice: surroundings.leastNice,
      mayChangeNice: mayChangeNice, hasNoNewPrivileges: Privileges.cannotBeGained,
      hasCutBoundingSet: surroundings.hasCutBoundingSet,
      missingForSandbox: KernelSupport.current.missingRequirement)
  }

  private func check(
    _ settings: ServiceSettings, _ keys: ServiceKeys, _ mode: ServiceMode, _ machine: MachineSettings,
    problems: inout ProblemCollector
  ) {
    // Of an address that could not be read, no kind of socket is known for sure.
    let datagramsAreKnown = !keys.isFaulty("listen-datagram") && !machine.hasFaultyAddresses
    var ruled = mode
    if !datagramsAreKnown { ruled.sockets.subtract([.internetDatagram, .unixDatagram]) }
    var rules = settings
    // A faulty list is a problem already.
    if keys.isFaulty("allow") { rules.allow = [] }
    for violation in ServiceRules.violations(of: rules, own: keys.own.names, in: ruled) {
      keys.add(violation, problems: &problems)
    }
    machine.checkLinkLocalAddresses(problems: &problems)
    machine.checkAccess(problems: &problems)
  }

  private func checkListens(
    _ table: Setting, _ settings: ServiceSettings, _ keys: ServiceKeys, problems: inout ProblemCollector
  ) {
    guard settings.listenStream.isEmpty, settings.listenDatagram.isEmpty, !keys.isFaulty("listen-stream"),
      !keys.isFaulty("listen-datagram")
    else { return }
    problems.add(table.problem(ServiceRules.nothingListened))
  }

  private func hasValidName(_ table: Setting, problems: inout ProblemCollector) -> Bool {
    if table.name == OwnIdentities.resolverName {
      problems.add(table.problem("this is the name of begatd's own resolver of names; choose another one"))
      return false
    }
    if isServiceName(table.name) { return true }
    problems.add(
      table.problem("expected a service's name of 1 to 64 letters, digits, - and _ that starts with a letter"))
    return false
  }
}

extension LoginEnvironment {
  /// The variables of a user of this machine.
  ///
  /// - Parameter ownUser: the user's name where that is a service's own, whether it can be looked up or not.
  fileprivate init(_ number: uid_t, ownUser: String?) {
    if let ownUser {
      self.init(userName: ownUser, homeDirectory: UserRecords.homeDirectory, shell: UserRecords.shell)
    } else if let user = Users.find(number) {
      self.init(userName: user.name, homeDirectory: user.homeDirectory, shell: user.shell)
    } else {
      self.init(number: number)
    }
  }
}

/// The keys that a service's own table mentions, before those of `[defaults]`.
struct ServiceKeys {
  let own: MentionedKeys
  var defaults = MentionedKeys()

  /// The setting that holds.
  subscript(name: String) -> Setting? { own[name] ?? defaults[name] }

  /// Whether the setting that holds could not be read.
  func isFaulty(_ name: String) -> Bool {
    own[name] != nil ? own.faulty.contains(name) : defaults.faulty.contains(name)
  }

  var origins: [String: Origin] {
    defaults.settings.merging(own.settings) { $1 }.mapValues(\.origin)
  }

  /// Notes a broken rule at the key to blame, with the place of the other key.
  func add(_ violation: RuleViolation, table: Setting? = nil, problems: inout ProblemCollector) {
    guard let setting = self[violation.key] ?? table else { return }
    let other = violation.other.flatMap { name in self[name].map { "; \(name) is at \($0.place)" } } ?? ""
    problems.add(setting.problem(violation.message + other))
  }
}
