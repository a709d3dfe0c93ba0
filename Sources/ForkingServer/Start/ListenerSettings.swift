import Admission
import Confinement
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// A command line of begat-listener with all that it needs of the machine, checked by the rules of services.
struct ListenerSettings {
  /// With admission's peers, and only with settings that have an effect.
  private(set) var options: ListenerOptions
  /// The identity to become; nil stays as started.
  let identity: Identity?
  let socketAccess: UnixSocketFile.Access
  let streams: [ListenAddress]
  let datagrams: [ListenAddress]

  /// - Parameter passed: kinds of the sockets that were passed.
  init(_ parsed: ParsedListenerOptions, passed: Set<ServiceMode.SocketKind>) throws(ListenerOptionProblem) {
    var options = parsed.options
    if let violation = ServiceRules.offerProblem(options.service) { throw Self.problem(violation) }
    guard let offer = options.service.offer else {
      throw ListenerOptionProblem("--serve SERVICE or -- PROGRAM is missing; see --help")
    }
    if options.name.isEmpty { options.name = options.service.serve?.rawValue ?? Self.programName(options.service.exec) }
    let lookups = FileLookups()
    streams = try Self.addresses(options.service.listenStream, "listen-stream", lookups)
    datagrams = try Self.addresses(options.service.listenDatagram, "listen-datagram", lookups)
    options.service.admission.allow = try options.service.allow.map { texts throws(ListenerOptionProblem) in
      try Self.peers(texts, "allow", lookups)
    }
    options.service.admission.deny = try Self.peers(options.service.deny, "deny", lookups)
    options.service.admission.denyExempt = try Self.peers(options.service.denyExempt, "deny-exempt", lookups)
    options.service.admission.proxies = try Self.peers(options.service.proxyFrom, "proxy-from", lookups)
    identity = try Self.identity(options, lookups)
    if options.service.program.loginEnvironment {
      options.service.program.addLoginEnvironment(lookups.loginEnvironment(of: identity?.user ?? geteuid()))
    }
    socketAccess = try Self.socketAccess(options.service, lookups)
    try Self.checkCapabilities(identity, socketAccess)

    let bound = Set(streams.compactMap { $0.boundKind(isStream: true) })
      .union(datagrams.compactMap { $0.boundKind(isStream: false) })
    let mode = ServiceMode(
      offer: offer, sockets: passed.union(bound), bound: bound,
      bindsPaths: (streams + datagrams).contains(where: \.isPath),
      isStdio: options.stdio, leastNice: Capabilities.leastNice,
      mayChangeNice: options.program.nice == 0 || Capabilities.mayChangeNice,
      hasResolver: options.names != nil && options.nameRequests != nil,
      hasNoNewPrivileges: Privileges.cannotBeGained,
      missingForSandbox: KernelSupport.current.missingRequirement)
    try Self.check(options, said: parsed.said, mode, streams + datagrams)
    options.service = options.service.effective(in: mode, said: parsed.said)
    self.options = options
  }

  /// Whether the service runs as root without having been told to.
  var servesAsRoot: Bool { identity == nil && geteuid() == 0 }
  static let rootWarning = "serves as root; give it a user with --user"

  // MARK: - Rules

  private static func check(
    _ options: ListenerOptions, said: Set<String>, _ mode: ServiceMode, _ addresses: [ListenAddress]
  ) throws(ListenerOptionProblem) {
    for key in ListenerOptions.keys(named: said) {
      if let reason = key.reasonWithoutEffect(options.service, mode) {
        throw ListenerOptionProblem("--\(key.name): \(reason); see --help")
      }
    }
    if let violation = ServiceRules.violations(of: options.service, own: said, in: mode).first {
      throw problem(violation)
    }
    if let builtIn = mode.builtIn, builtIn.needsSupervisor, options.channel == nil {
      throw ListenerOptionProblem(
        "--serve: \(builtIn.rawValue) shows what begatd knows: only begatd can offer it; begat status shows listeners "
          + "that run by themselves")
    }
    if said.contains("group") || said.contains("groups"), options.service.user == nil {
      throw ListenerOptionProblem("--group and --groups need --user; see --help")
    }
    if said.contains("names") != said.contains("name-requests") {
      throw ListenerOptionProblem("--names and --name-requests go together; see --help")
    }
    if said.contains("kept-channel"), options.channel == nil {
      throw ListenerOptionProblem("--kept-channel needs --channel; see --help")
    }
    if options.service.bindToDevice == nil, let address = addresses.first(where: \.lacksInterface) {
      throw ListenerOptionProblem("--listen-stream: \(ServiceRules.missingInterface(address))")
    }
    let admission = options.service.admission
    if let both = ServiceRules.contradictions(allow: admission.allow ?? [], deny: admission.deny).first {
      throw ListenerOptionProblem("--deny: \(admission.deny[both.deny]) is also in --allow; remove one")
    }
    if mode.sockets.isEmpty, addresses.isEmpty, !options.stdio {
      throw ListenerOptionProblem("no socket: give one with --listen-stream, --listen-datagram or --socket")
    }
  }

  private static func problem(_ violation: RuleViolation) -> ListenerOptionProblem {
    let option = violation.key == "exec" ? "--" : "--\(violation.key)"
    return ListenerOptionProblem("\(option): \(violation.message); see --help")
  }

  // MARK: - Meaning on this machine

  private static func addresses(
    _ texts: [String], _ key: String, _ lookups: FileLookups
  ) throws(ListenerOptionProblem) -> [ListenAddress] {
    let reader = AddressReader(isDatagram: key == "listen-datagram", lookups)
    var addresses: [ListenAddress] = []
    for text in texts { addresses += try named(key) { () throws(ValueProblems) in try reader.read(text) } }
    return addresses
  }

  private static func peers(
    _ texts: [String], _ key: String, _ lookups: FileLookups
  ) throws(ListenerOptionProblem) -> [AccessPeer] {
    let reader = PeerReader(lookups)
    var peers: [AccessPeer] = []
    for text in texts { peers.append(try named(key) { () throws(ValueProblems) in try reader.read(text) }) }
    return peers
  }

  private static func named<Value>(
    _ key: String, _ read: () throws(ValueProblems) -> Value
  ) throws(ListenerOptionProblem) -> Value {
    do throws(ValueProblems) { return try read() } catch {
      throw ListenerOptionProblem("--\(key): \(error.problems[0].message)")
    }
  }

  private static func identity(
    _ options: ListenerOptions, _ lookups: FileLookups
  ) throws(ListenerOptionProblem) -> Identity? {
    let (name, group) = try account(options.service.user, options.service.group, "user", "group", lookups)
    guard let name else { return nil }
    guard var identity = lookups.user(name) else { throw unknownUser(name, "user") }
    if !options.groups.isEmpty { identity.groups = options.groups }
    guard let group else { return identity }
    identity.groups =
      options.groups.isEmpty
      ? [group] + identity.groups.filter { $0 != identity.group && $0 != group } : options.groups
    identity.group = group
    return identity
  }

  /// A user, and the group that stands behind it or in an option of its own.
  private static func account(
    _ user: String?, _ group: String?, _ userKey: String, _ groupKey: String, _ lookups: FileLookups
  ) throws(ListenerOptionProblem) -> (user: String?, group: UInt32?) {
    let outer = try group.map { (text) throws(ListenerOptionProblem) in try Self.group(text, groupKey, lookups) }
    guard let user else { return (nil, outer) }
    guard let account = AccountName(user) else { throw unknownUser(user, userKey) }
    let inner = try account.group.map { (text) throws(ListenerOptionProblem) in try Self.group(text, userKey, lookups) }
    if let inner, let outer, inner != outer {
      throw ListenerOptionProblem("--\(groupKey): contradicts --\(userKey) \(quoted(user)); leave one out")
    }
    return (account.user, inner ?? outer)
  }

  /// Refuses what only a process with capabilities could do.
  private static func checkCapabilities(
    _ identity: Identity?, _ access: UnixSocketFile.Access
  ) throws(ListenerOptionProblem) {
    let capabilities = Capabilities.effective
    if let identity, identity.user != geteuid() || identity.group != getegid(), !capabilities.contains(.becomeOthers) {
      throw ListenerOptionProblem("--user: becoming another user needs root, or CAP_SETUID and CAP_SETGID")
    }
    if let owner = access.user, owner != geteuid(), !capabilities.contains(.changeOwner) {
      throw ListenerOptionProblem("--socket-user: giving a socket to another user needs root, or CAP_CHOWN")
    }
  }

  private static func unknownUser(_ name: String, _ key: String) -> ListenerOptionProblem {
    ListenerOptionProblem("--\(key): no user \(quoted(name)) in /etc/passwd; give the number")
  }

  private static func group(
    _ text: String, _ key: String, _ lookups: FileLookups
  ) throws(ListenerOptionProblem) -> UInt32 {
    if let group = lookups.groupNumber(text) { return group }
    throw ListenerOptionProblem("--\(key): no group \(quoted(text)) in /etc/group; give the number")
  }

  private static func socketAccess(
    _ service: ServiceSettings, _ lookups: FileLookups
  ) throws(ListenerOptionProblem) -> UnixSocketFile.Access {
    var access = UnixSocketFile.Access(mode: service.socketMode)
    let (owner, group) = try account(
      service.socketUser, service.socketGroup, "socket-user", "socket-group", lookups)
    if let owner {
      guard let number = lookups.userNumber(owner) else { throw unknownUser(owner, "socket-user") }
      access.user = number
    }
    access.group = group
    return access
  }

  /// What a program is called unless it is given a name: the characters of its file's name that a name may have.
  private static func programName(_ words: [String]) -> String {
    let file = words.first?.split(separator: "/").last ?? ""
    let name = String(decoding: file.utf8.filter(isServiceNameByte).prefix(64), as: UTF8.self)
    return isServiceName(name) ? name : "program"
  }
}
