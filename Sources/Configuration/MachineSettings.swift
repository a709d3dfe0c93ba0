import Admission
import Confinement
import Glibc
@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// An address, with its place.
struct PlacedAddress {
  let address: ListenAddress
  let setting: Setting
  let element: Int

  var origin: Origin { setting.origin(ofElement: element) }

  func problem(_ message: String) -> ConfigurationProblem {
    setting.problem(ValueProblem(message).within(.element(element)))
  }
}

/// Resolves settings on this machine: addresses, users, peers, directories.
struct MachineSettings {
  private let settings: ServiceSettings
  private let keys: ServiceKeys
  private let surroundings: Surroundings
  private let lookups: NameServiceLookups

  private(set) var streams: [PlacedAddress] = []
  private(set) var datagrams: [PlacedAddress] = []
  private(set) var hasFaultyAddresses = false
  private(set) var allow: [AccessEntry]?
  private(set) var deny: [AccessEntry] = []
  private(set) var denyExempt: [AccessEntry] = []
  private(set) var proxies: [AccessEntry] = []
  private(set) var socketAccess = UnixSocketFile.Access()
  private var user: User?
  /// Set by `group`, or by `user` behind a colon.
  private var group: gid_t?

  init(
    settings: ServiceSettings, keys: ServiceKeys, _ surroundings: Surroundings, _ lookups: NameServiceLookups
  ) {
    self.settings = settings
    self.keys = keys
    self.surroundings = surroundings
    self.lookups = lookups
  }

  /// Looks everything up, and notes what this machine does not have.
  mutating func resolve(problems: inout ProblemCollector) {
    streams = addresses(settings.listenStream, "listen-stream", problems: &problems)
    datagrams = addresses(settings.listenDatagram, "listen-datagram", problems: &problems)
    let readAllow = entries(settings.allow ?? [], "allow", problems: &problems)
    allow = settings.allow == nil ? nil : readAllow
    deny = entries(settings.deny, "deny", problems: &problems)
    denyExempt = entries(settings.denyExempt, "deny-exempt", problems: &problems)
    proxies = entries(settings.proxyFrom, "proxy-from", problems: &problems)
    (user, group) = account((settings.user, "user"), (settings.group, "group"), problems: &problems)
    let (owner, ownerGroup) = account(
      (settings.socketUser, "socket-user"), (settings.socketGroup, "socket-group"), problems: &problems)
    checkOwner(owner, ownerGroup, problems: &problems)
    socketAccess = UnixSocketFile.Access(mode: settings.socketMode, user: owner?.identity.user, group: ownerGroup)
    checkDirectory(problems: &problems)
    checkPaths(settings.fortune.databases, "fortune.databases", problems: &problems)
    checkPaths(settings.program.readOnlyPaths, "read-only-paths", problems: &problems)
    checkPaths(settings.program.readWritePaths, "read-write-paths", problems: &problems)
  }

  private mutating func addresses(
    _ texts: [String], _ name: String, problems: inout ProblemCollector
  ) -> [PlacedAddress] {
    if keys.isFaulty(name) { hasFaultyAddresses = true }
    guard let setting = keys[name] else { return [] }
    let reader = AddressReader(isDatagram: name == "listen-datagram", lookups)
    var addresses: [PlacedAddress] = []
    for (index, text) in readable(texts, name, setting) {
      guard let read = element(index, of: setting, &problems, { () throws(ValueProblems) in try reader.read(text) })
      else {
        hasFaultyAddresses = true
        continue
      }
      addresses += read.map { PlacedAddress(address: $0, setting: setting, element: index) }
    }
    return addresses
  }

  private func entries(_ texts: [String], _ name: String, problems: inout ProblemCollector) -> [AccessEntry] {
    guard let setting = keys[name] else { return [] }
    let reader = PeerReader(lookups)
    var entries: [AccessEntry] = []
    for (index, text) in readable(texts, name, setting) {
      let peer = element(index, of: setting, &problems) { () throws(ValueProblems) in try reader.read(text) }
      guard let peer else { continue }
      entries.append(AccessEntry(peer: peer, text: printable(text), origin: setting.origin(ofElement: index)))
    }
    return entries
  }

  /// The texts of a list by their places; of a list with faulty elements the others, whose own problems are as good.
  private func readable(_ texts: [String], _ name: String, _ setting: Setting) -> [(index: Int, text: String)] {
    let elements: [String?]
    if keys.isFaulty(name) {
      guard case .list(let list) = setting.value.raw else { return [] }
      elements = list.map { $0.text.flatMap { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 } }
    } else {
      elements = texts
    }
    return elements.enumerated().compactMap { index, text in text.map { (index, $0) } }
  }

  private func element<Value>(
    _ index: Int, of setting: Setting, _ problems: inout ProblemCollector,
    _ read: () throws(ValueProblems) -> Value
  ) -> Value? {
    do throws(ValueProblems) { return try read() } catch {
      for problem in error.problems { problems.add(problem.within(.element(index)), of: setting) }
      return nil
    }
  }

  private func add(_ name: String, _ message: String, problems: inout ProblemCollector) {
    if let setting = keys[name] { problems.add(setting.problem(ValueProblem(message))) }
  }

  // MARK: - Users and groups

  /// The user and group that two keys stand for.
  private func account(
    _ userKey: (text: String?, name: String), _ groupKey: (text: String?, name: String),
    problems: inout ProblemCollector
  ) -> (User?, gid_t?) {
    var account: Account?
    var group: gid_t?
    do throws(Account.LookupError) { account = try userKey.text.map(Account.init) } catch {
      add(userKey.name, error.description, problems: &problems)
    }
    do throws(Account.LookupError) { group = try groupKey.text.map(Account.group) } catch {
      add(groupKey.name, error.description, problems: &problems)
    }
    guard let inner = account?.group, let outer = group, inner != outer else {
      return (account?.user, group ?? account?.group)
    }
    // The service's own key takes the place of what [defaults] has set, in whichever of both keys.
    let (hasOwnUser, hasOwnGroup) = (keys.own[userKey.name] != nil, keys.own[groupKey.name] != nil)
    if hasOwnUser == hasOwnGroup {
      add(
        groupKey.name,
        "contradicts \(userKey.name) = \(quoted(userKey.text ?? "")), found \(quoted(groupKey.text ?? ""))"
          + "; leave one group out",
        problems: &problems)
    }
    return (account?.user, hasOwnUser ? inner : outer)
  }

  /// Notes an owner of sockets that begatd cannot give them.
  private func checkOwner(_ owner: User?, _ group: gid_t?, problems: inout ProblemCollector) {
    guard !surroundings.capabilities.contains(.changeOwner) else { return }
    let own = surroundings.identity
    if let owner, owner.identity.user != own.user {
      add(
        "socket-user", "a socket for \(printable(owner.name)) \(Self.need(["CAP_CHOWN"], own))", problems: &problems)
    }
    if let group, group != own.group, !own.groups.contains(group) {
      let name = keys["socket-group"] == nil ? "socket-user" : "socket-group"
      add(
        name, "a socket for group \(group), which begatd is not in, \(Self.need(["CAP_CHOWN"], own))",
        problems: &problems)
    }
  }

  /// The identity that the listener runs as; nil is begatd's own.
  ///
  /// - Parameter own: for a service without a user; nil if there is none, and it shares one.
  func identity(own: Identity?, problems: inout ProblemCollector) -> Identity? {
    // A faulty user is a problem already.
    if keys["user"] != nil, user == nil { return nil }
    guard surroundings.choosesUsers else { return ownIdentity(problems: &problems) }
    return (user?.identity ?? own ?? Users.nobody).with(group: group)
  }

  /// The only identity that there is without the capabilities to become others.
  private func ownIdentity(problems: inout ProblemCollector) -> Identity? {
    let own = surroundings.identity
    if let user, user.identity.user != own.user {
      add(
        "user", "serving as \(printable(user.name)) \(Self.need(surroundings.missingForUsers, own))",
        problems: &problems)
    }
    if let group, group != own.group {
      let name = keys["group"] == nil ? "user" : "group"
      add(name, "serving with group \(group) \(Self.need(surroundings.missingForUsers, own))", problems: &problems)
    }
    return surroundings.isRoot ? own : nil
  }

  /// The part of a message that names the capabilities which a begatd of this identity lacks, and the remedy.
  private static func need(_ capabilities: [String], _ own: Identity) -> String {
    "needs \(capabilities.joined(separator: " and ")), which this begatd (user \(own.user)) lacks; "
      + "grant \(capabilities.count == 1 ? "it" : "them") or remove the key"
  }

  // MARK: - Files

  private func checkDirectory(problems: inout ProblemCollector) {
    let path = settings.program.workingDirectory
    guard let setting = keys["working-directory"], !keys.isFaulty("working-directory") else { return }
    do throws(SystemCallError) {
      let isDirectory = try FileSystem.status(of: path).st_mode & S_IFMT == S_IFDIR
      if !isDirectory { problems.add(setting.problem(ValueProblem("\(printable(path)): not a directory"))) }
    } catch {
      guard !isHidden(error) else { return }
      problems.add(setting.problem(ValueProblem("\(printable(path)): \(error.code)")))
    }
  }

  /// Notes paths of a list at which there is nothing.
  private func checkPaths(_ texts: [String], _ name: String, problems: inout ProblemCollector) {
    guard let setting = keys[name] else { return }
    for (index, path) in readable(texts, name, setting) where path.hasPrefix("/") {
      do throws(SystemCallError) { _ = try FileSystem.status(of: path) } catch {
        guard !isHidden(error) else { continue }
        problems.add(ValueProblem("\(printable(path)): \(error.code)").within(.element(index)), of: setting)
      }
    }
  }

  /// Whether a file is in a directory that is closed to begatd, and may be open to the service's user.
  private func isHidden(_ failure: SystemCallError) -> Bool {
    failure.code == .permissionDenied && user.map { $0.identity.user != surroundings.identity.user } ?? false
  }

  // MARK: - Rules about what things mean

  /// The kernel binds no link-local address without knowing the interface.
  func checkLinkLocalAddresses(problems: inout ProblemCollector) {
    guard settings.bindToDevice == nil else { return }
    for placed in streams + datagrams where placed.address.lacksInterface {
      problems.add(placed.problem(ServiceRules.missingInterface(placed.address)))
    }
  }

  /// Notes peers that are allowed and denied alike.
  func checkAccess(problems: inout ProblemCollector) {
    let allowed = allow ?? []
    for (first, second) in ServiceRules.contradictions(allow: allowed.map(\.peer), deny: deny.map(\.peer)) {
      let origin = deny[second].origin
      problems.add(
        ConfigurationProblem(
          at: origin.place, key: origin.key,
          message: "\(deny[second].text) is also in allow, at \(allowed[first].origin.place); remove one"))
    }
  }
}
