import Confinement
import Settings
@_spi(Begat) import UnixCore

/// What a configuration depends on outside its files: who reads it and on which paths.
struct Surroundings {
  /// The user and group that begatd runs as.
  var identity: Identity
  /// What is read when no file is asked for.
  var systemFile: String
  /// The user's own file, which is read instead where it exists; nil where there can be none.
  var userFile: String?
  /// What `%t` stands for.
  var runtimeDirectory: String
  /// Gives services users of their own; nil where begatd may not change its user.
  var identities: IdentityKeeper?
  /// Bytes that the arguments of a listener may take: a quarter of the usual limit of a stack.
  var argumentRoom = 2 << 20
  /// The capabilities that begatd has.
  var capabilities: Capabilities
  /// The least nice value that it can give to programs.
  var leastNice: Int
  /// Whether its programs may change their nice value; asked only where one is to be changed.
  var mayChangeNice: @Sendable () -> Bool = { true }
  /// Whether begatd runs already and has given up what set-user-ID programs gain.
  var hasCutBoundingSet = false

  /// - Parameter capabilities: nil means all for root, none for other users.
  init(
    identity: Identity, systemFile: String = ConfigurationFiles.systemFile, runtimeDirectory: String,
    capabilities: Capabilities? = nil, identities: IdentityKeeper? = nil
  ) {
    self.identities = identities
    self.identity = identity
    self.systemFile = systemFile
    self.runtimeDirectory = runtimeDirectory
    self.capabilities = capabilities ?? (identity.user == 0 ? .all : [])
    leastNice = self.capabilities.contains(.raiseLimits) ? -20 : 0
  }

  /// Whether files count as root's: a matter of the user, not of capabilities.
  var isRoot: Bool { identity.user == 0 }
  /// Whether services can have a user of their own.
  var choosesUsers: Bool { capabilities.contains(.becomeOthers) }
  /// The names of the capabilities that are missing for that.
  var missingForUsers: [String] {
    [(Capabilities.setUser, "CAP_SETUID"), (.setGroup, "CAP_SETGID")].filter { !capabilities.contains($0.0) }.map(\.1)
  }

  /// - Parameter identities: those of a running begatd.
  static func actual(_ identities: IdentityKeeper? = nil) -> Surroundings {
    var surroundings = Surroundings(
      identity: .effective, runtimeDirectory: RuntimeDirectory.path, capabilities: .effective)
    surroundings.userFile = UserConfiguration.file(of: surroundings.identity.user, surroundings.capabilities)
    surroundings.leastNice = Capabilities.leastNice
    surroundings.mayChangeNice = { Capabilities.mayChangeNice }
    surroundings.hasCutBoundingSet = DaemonPrivileges.haveCutBoundingSet
    if surroundings.choosesUsers { surroundings.identities = identities ?? .reading() }
    if let stack = try? ResourceLimit.stackSize.current().soft {
      // The kernel's least is 128 KiB; more than usual is not counted on, begatd may be started elsewhere.
      surroundings.argumentRoom = min(surroundings.argumentRoom, max(Int(clamping: stack / 4), 128 << 10))
    }
    return surroundings
  }
}
