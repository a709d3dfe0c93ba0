import Admission
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
  private(set) var socketAccess = UnixSocketFile.Access()
  private var user: User?
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
    user = user(settings.user, "user", problems: &problems)
    group = group(settings.group, "group", problems: &problems)
    let owner = user(settings.socketUser, "socket-user", problems: &problems)
    if let owner, !surroundings.isRoot, owner.identity.user != surroundings.identity.user {
      add("socket-user", "only root can give a socket to \(printable(owner.name))", problems: &problems)
    }
    socketAccess = UnixSocketFile.Access(
      mode: settings.socketMode, user: owner?.identity.user,
      group: group(settings.socketGroup, "socket-group", problems: &problems))
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

  private func user(_ text: String?, _ name: String, problems: inout ProblemCollector) -> User? {
    guard let text else { return nil }
    if let user = Users.find(text) { return user }
    add(name, "no user \(quoted(text)) on this machine", problems: &problems)
    return nil
  }

  private func group(_ text: String?, _ name: String, problems: inout ProblemCollector) -> gid_t? {
    guard let text else { return nil }
    if let group = Users.findGroup(text), group != gid_t.max { return group }
    add(name, "no group \(quoted(text)) on this machine", problems: &problems)
    return nil
  }

  /// The identity that the listener runs as; nil is begatd's own.
  func identity(problems: inout ProblemCollector) -> Identity? {
    guard surroundings.isRoot else {
      if let user, user.identity.user != surroundings.identity.user {
        add("user", "only root can serve as \(printable(user.name))", problems: &problems)
      }
      if let group, group != surroundings.identity.group {
        add("group", "only root can serve with another group", problems: &problems)
      }
      return nil
    }
    // A faulty user is a problem already.
    if keys["user"] != nil, user == nil { return nil }
    var identity = user?.identity ?? Users.nobody
    if let group {
      // As initgroups(3): the new primary group takes the place of the user's own.
      identity.groups = [group] + identity.groups.filter { $0 != identity.group && $0 != group }
      identity.group = group
    }
    return identity
  }

  // MARK: - Files

  private func checkDirectory(problems: inout ProblemCollector) {
    let path = settings.program.workingDirectory
    guard let setting = keys["working-directory"], !keys.isFaulty("working-directory") else { return }
    do throws(SystemCallError) {
      let isDirectory = try FileSystem.facts(of: path).st_mode & S_IFMT == S_IFDIR
      if !isDirectory { problems.add(setting.problem(ValueProblem("\(printable(path)): not a directory"))) }
    } catch { problems.add(setting.problem(ValueProblem("\(printable(path)): \(error.code)"))) }
  }

  /// Notes paths of a list at which there is nothing.
  private func checkPaths(_ texts: [String], _ name: String, problems: inout ProblemCollector) {
    guard let setting = keys[name] else { return }
    for (index, path) in readable(texts, name, setting) where path.hasPrefix("/") {
      do throws(SystemCallError) { _ = try FileSystem.facts(of: path) } catch {
        problems.add(ValueProblem("\(printable(path)): \(error.code)").within(.element(index)), of: setting)
      }
    }
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
