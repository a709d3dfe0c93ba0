import Admission
import ControlProtocol
import NameService
import UnixIPC

/// A service, and the settings to blame where its addresses do not fit.
struct ResolvedService {
  let configuration: ServiceConfiguration
  let streams: [ServiceSettings.Placed<ListenAddress>]
  let datagrams: [ServiceSettings.Placed<ListenAddress>]
}

/// Makes a service of its table, of `[defaults]` and of what begat has when neither says anything.
struct ServiceResolver {
  let surroundings: Surroundings
  let defaults: ServiceSettings
  private let defaultOrigins: [String: Origin]
  private let nobody = Users.find("nobody")?.identity

  init(surroundings: Surroundings, defaults: ServiceSettings) {
    self.surroundings = surroundings
    self.defaults = defaults
    defaultOrigins = defaults.origins
  }

  /// - Returns: nil when not even the kind of service is known; then there is a problem that says so.
  func resolve(_ table: Setting, problems: inout ProblemCollector) -> ResolvedService? {
    let members = problems.collect(try table.members())
    guard members != nil, hasValidName(table, problems: &problems) else { return nil }
    let own = ServiceSettings(table, runtimeDirectory: surroundings.runtimeDirectory, problems: &problems)
    let settings = LayeredSettings(own: own, defaults: defaults)
    if (settings.streams ?? []).isEmpty, (settings.datagrams ?? []).isEmpty, !hasFaultyAddresses(own) {
      problems.add(table.problem("expected listen-stream or listen-datagram with an address"))
    }
    guard let offer = offer(settings, table: table, problems: &problems) else { return nil }
    let access = socketAccess(settings, problems: &problems)
    let identity = identity(settings, table: table, problems: &problems)
    let isEnabled = settings.isEnabled ?? true
    ServiceRules(settings: settings, offer: offer, isRoot: surroundings.isRoot).check(problems: &problems)
    if isEnabled, let user = identity ?? (surroundings.isRoot ? nil : surroundings.identity) {
      ProgramCheck(identity: user).check(settings, offer, problems: &problems)
    }
    let configuration = configuration(
      settings, table: table, isEnabled: isEnabled, offer: offer, access: access, identity: identity)
    return ResolvedService(
      configuration: configuration, streams: settings.streams ?? [], datagrams: settings.datagrams ?? [])
  }

  private func configuration(
    _ settings: LayeredSettings, table: Setting, isEnabled: Bool, offer: Offer, access: UnixSocketFile.Access,
    identity: Identity?
  ) -> ServiceConfiguration {
    let builtIn: BuiltIn? = if case .builtIn(let builtIn) = offer { builtIn } else { nil }
    let acceptsItself = offer == .program(.sockets)
    let isTimed = builtIn != nil || offer == .program(.relayedConnections)
    return ServiceConfiguration(
      name: table.name, place: table.place, isEnabled: isEnabled, offer: offer,
      program: program(settings, offer: offer),
      commands: builtIn == .command ? (settings.commands ?? []).map(\.value) : [],
      streams: (settings.streams ?? []).map(\.value), datagrams: (settings.datagrams ?? []).map(\.value),
      socketAccess: access,
      bindOptions: BindOptions(isFree: settings.bindsFreely ?? false, device: settings.device),
      backlog: settings.backlog ?? 4096, identity: identity,
      admission: admission(settings, acceptsItself: acceptsItself),
      allow: acceptsItself ? [] : (settings.allow ?? []).map(\.value),
      deny: acceptsItself ? [] : (settings.deny ?? []).map(\.value),
      refusal: acceptsItself ? nil : settings.refusal,
      firstByteTimeout: isTimed ? settings.firstByteTimeout?.value : nil,
      idleTimeout: isTimed ? (settings.idleTimeout ?? .at(.seconds(600))).value : nil,
      maxDuration: settings.maxDuration?.value, keepsAlive: settings.keepsAlive ?? true,
      resolvesNames: settings.resolvesNames ?? (builtIn == .hello), log: settings.log ?? .connections,
      fortune: builtIn?.tellsFortunes ?? false ? fortune(settings) : FortuneConfiguration(),
      origins: defaultOrigins.merging(settings.own.origins) { $1 })
  }

  private func admission(_ settings: LayeredSettings, acceptsItself: Bool) -> AdmissionLimits {
    var limits = AdmissionLimits()
    limits.rate = settings.rate?.value
    guard !acceptsItself else { return limits }
    limits.allow = (settings.allow ?? []).map(\.value.peer)
    limits.deny = (settings.deny ?? []).map(\.value.peer)
    limits.maxConnections = settings.maxConnections ?? limits.maxConnections
    limits.maxConnectionsPerSource = settings.maxConnectionsPerSource ?? limits.maxConnectionsPerSource
    limits.ratePerSource = settings.ratePerSource?.value
    limits.sourcePrefix = settings.sourcePrefix ?? limits.sourcePrefix
    limits.whenFull = settings.whenFull ?? limits.whenFull
    return limits
  }

  private func program(_ settings: LayeredSettings, offer: Offer) -> ProgramSettings {
    var program = ProgramSettings()
    switch offer {
    case .program: program.words = settings.exec ?? []
    case .builtIn(.command) where !(settings.commands ?? []).isEmpty: break
    case .builtIn: return program
    }
    program.environment = settings.environment ?? program.environment
    program.workingDirectory = settings.workingDirectory?.value ?? program.workingDirectory
    program.umask = settings.umask ?? program.umask
    program.nice = settings.nice?.value ?? program.nice
    program.limitMemory = settings.limitMemory
    program.limitCPU = settings.limitCPU
    program.limitOpenFiles = settings.limitOpenFiles
    program.limitProcesses = settings.limitProcesses
    return program
  }

  // MARK: - What it offers

  /// What the service's own table says or, where that says neither `serve` nor `exec`, what `[defaults]` says.
  private func offer(_ settings: LayeredSettings, table: Setting, problems: inout ProblemCollector) -> Offer? {
    let isOwn = settings.own.mentions(.serve) || settings.own.mentions(.exec)
    let source = isOwn ? settings.own : defaults
    switch (source.setting(.serve), source.setting(.exec)) {
    case (nil, nil):
      let words = BuiltIn.allCases.map(\.rawValue).joined(separator: ", ")
      problems.add(table.problem("expected serve, one of \(words), or exec, a program's path and arguments"))
      return nil
    case (let serve?, let exec?):
      problems.add(exec.problem("expected either serve or exec; serve is at \(serve.place)"))
      return nil
    case (_?, nil): return source.serve.map { .builtIn($0) }
    case (nil, _?):
      guard source.exec != nil else { return nil }
      if settings.wait ?? false { return .program(.sockets) }
      return .program(settings.relay ?? false ? .relayedConnections : .connections)
    }
  }

  private func hasValidName(_ table: Setting, problems: inout ProblemCollector) -> Bool {
    let name = table.name.utf8
    let isValid =
      (1...64).contains(name.count) && name.allSatisfy(isBareKeyByte)
      && table.name.first?.isLetter ?? false
    if !isValid {
      problems.add(
        table.problem("expected a service's name of 1 to 64 letters, digits, - and _ that starts with a letter"))
    }
    return isValid
  }

  /// Whether addresses were written down and none of them could be read: then that is the problem.
  private func hasFaultyAddresses(_ own: ServiceSettings) -> Bool {
    let keys = [ServiceKey.listenStream, .listenDatagram]
    let table = keys.contains(where: own.mentions) ? own : defaults
    return keys.contains { key in
      guard let setting = table.setting(key) else { return false }
      if case .array(let elements) = setting.value { return !elements.isEmpty }
      return true
    }
  }

  private func socketAccess(_ settings: LayeredSettings, problems: inout ProblemCollector) -> UnixSocketFile.Access {
    let user = settings.socketUser
    if let user, !surroundings.isRoot, user.value.identity.user != surroundings.identity.user {
      problems.add(user.setting.problem("only root can give a socket to \(printable(user.value.name))"))
    }
    return UnixSocketFile.Access(
      mode: settings.socketMode ?? 0o666, user: user?.value.identity.user, group: settings.socketGroup)
  }

  private func fortune(_ settings: LayeredSettings) -> FortuneConfiguration {
    let (own, common) = (settings.own.fortune, defaults.fortune)
    var fortune = FortuneConfiguration()
    fortune.databases = own?.databases ?? common?.databases ?? []
    fortune.includesOffensive = own?.offensive ?? common?.offensive ?? false
    fortune.maxLength = own?.maxLength ?? common?.maxLength
    return fortune
  }

  // MARK: - Identity

  private func identity(
    _ settings: LayeredSettings, table: Setting, problems: inout ProblemCollector
  ) -> Identity? {
    let user = settings.user
    let group = settings.group
    guard surroundings.isRoot else {
      if let user, user.value.identity.user != surroundings.identity.user {
        problems.add(user.setting.problem("only root can serve as \(printable(user.value.name))"))
      }
      if let group, group.value != surroundings.identity.group {
        problems.add(group.setting.problem("only root can serve with another group"))
      }
      return nil
    }
    let isFaulty = settings.own.user == nil && settings.setting(.user) != nil
    guard var identity = user?.value.identity ?? (isFaulty ? nil : nobody) else {
      if user == nil, !isFaulty { problems.add(table.problem("no user \"nobody\" on this machine: set user")) }
      return nil
    }
    if let group {
      // As initgroups(3): the new primary group takes the place of the user's own.
      identity.groups = [group.value] + identity.groups.filter { $0 != identity.group && $0 != group.value }
      identity.group = group.value
    }
    return identity
  }
}
