@_spi(Begat) import NameService
import Settings
@_spi(Begat) import UnixCore

/// The user that looks up names of hosts, which reads what comes from the network and is never root.
public enum ResolverUser: Hashable, Sendable {
  /// begatd's own, which is not root.
  case daemon
  case identity(Identity)
  /// No user can be had: names are not looked up.
  case none
}

/// Users and groups of their own for the services that have none configured.
struct OwnIdentities {
  /// The resolver's name among those that have a number: no service has it.
  static let resolverName = "names"

  let resolver: ResolverUser
  private let numbers: [String: UInt32]
  /// Nil where begatd may not change its user.
  private let assignment: IdentityAssignment?
  /// Whether the user that services share exists in this user namespace.
  private let hasNobody: Bool
  private let range: IdentityRange
  private let surroundings: Surroundings

  /// Chooses for all services together.
  init(_ tables: ConfigurationTables, in range: IdentityRange, _ surroundings: Surroundings) {
    self.range = range
    self.surroundings = surroundings
    let services = Self.hasUser(tables.defaults) ? [] : tables.services.filter { !Self.hasUser($0) }
    let names = services.map(\.name).filter(isServiceName) + [Self.resolverName]
    assignment = surroundings.identities?.assign(names, in: range)
    numbers = assignment?.numbers ?? [:]
    guard let survey = surroundings.identities?.survey else {
      hasNobody = true
      resolver = surroundings.isRoot ? .none : .daemon
      return
    }
    let nobody = Users.nobody
    hasNobody = survey.mapped.contains { $0.contains(nobody.user) && $0.contains(nobody.group) }
    resolver =
      numbers[Self.resolverName].map { .identity(Self.identity($0)) }
      ?? (hasNobody && nobody.user != 0 ? .identity(nobody) : .none)
  }

  private static func hasUser(_ table: Setting?) -> Bool {
    (try? table?.members())?.contains { $0.name == "user" } ?? false
  }

  private static func identity(_ number: UInt32) -> Identity { Identity(user: number, group: number, groups: [number]) }

  /// The service's own; nil if it shares one with others.
  func identity(of service: String) -> (identity: Identity, name: String)? {
    numbers[service].map { (Self.identity($0), accountName(of: service, number: $0)) }
  }

  /// Why a service without a user cannot be served; nil if it can.
  func fault(of service: String) -> String? {
    guard numbers[service] == nil, !hasNobody else { return nil }
    return "there is no user for it: nobody does not exist in this user namespace, and \(cause)"
  }

  /// Remembers what was chosen.
  ///
  /// - Returns: complaints about the file in which that is done.
  func keep() -> [ConfigurationProblem] {
    (assignment?.keep() ?? []).map { ConfigurationProblem(file: surroundings.identities?.path ?? "", message: $0) }
  }

  /// Warnings about services that share a user because no number is left.
  func warnings(for services: [ServiceConfiguration]) -> [ConfigurationProblem] {
    let unserved = Set(assignment?.unserved ?? [])
    let sharing = services.filter { $0.settings.enabled && $0.origins["user"] == nil && unserved.contains($0.name) }
    let asking = services.first { $0.settings.enabled && $0.settings.looksUpNames }
    var warnings: [ConfigurationProblem] = []
    let isShared = asking != nil && resolver == .identity(Users.nobody)
    if let first = sharing.first ?? (isShared ? asking : nil) {
      let resolver = isShared ? ["the resolver of names"] : []
      let names = sharing.map(\.name)
      let shown = Array(names.prefix(4)) + (names.count > 4 ? ["\(names.count - 4) more"] : []) + resolver
      let use =
        shown.count == 1 ? "it runs as nobody" : "they share the user nobody and can signal and trace each other"
      warnings.append(first.warning("no user of its own for \(shown.joined(separator: ", ")); \(use): \(cause)"))
    }
    if resolver == .none, let asking {
      warnings.append(
        asking.warning(
          "names of hosts are not looked up, and clients are greeted by address: the resolver must not run as root, "
            + "and begatd can become no other user; start begatd as another user, or with CAP_SETUID and CAP_SETGID "
            + "where other users exist"))
    }
    return warnings
  }

  private var cause: String {
    let here = IdentityMap.common(surroundings.identities?.survey.mapped ?? [], [range.numbers])
    guard here.reduce(0, { $0 + $1.count }) < range.numbers.count else {
      return "no number of identity-range \(range) is left; widen it, or set user in these services"
    }
    let fault =
      here.isEmpty
      ? "no number of identity-range \(range) exists in this user namespace"
      : "no number is left of those of identity-range \(range) that exist in this user namespace"
    return fault
      + "; set identity-range to numbers that /proc/self/uid_map and gid_map have, or set user in these services"
  }
}

extension ServiceConfiguration {
  fileprivate func warning(_ message: String) -> ConfigurationProblem {
    ConfigurationProblem(at: place, key: keyText(["service", name]), message: message)
  }
}
