import CConfinement
import Glibc
@_spi(Begat) import UnixCore

/// Landlock rules: everything restricted is forbidden unless a rule permits it.
///
/// Source: landlock(7).
public struct FileRules: ~Copyable {
  /// The kinds of access that rules can restrict.
  public struct Restrictions: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let files = Restrictions(rawValue: 1)
    /// Binding and connecting TCP sockets.
    public static let network = Restrictions(rawValue: 2)
    /// Signals to processes that are not under the same rules.
    public static let signals = Restrictions(rawValue: 4)
    /// Connections and datagrams to abstract Unix sockets of processes that are not under the same rules.
    public static let abstractSockets = Restrictions(rawValue: 8)
    public static let all: Restrictions = [.files, .network, .signals, .abstractSockets]
  }

  private let ruleset: Descriptor
  private let restricted: UInt64

  /// Makes rules that permit nothing.  A restriction that this version of Landlock does not know is left out.
  ///
  /// - Parameter support: has a version of Landlock.
  public init(_ support: KernelSupport, restricting restrictions: Restrictions) throws(SystemCallError) {
    let version = CInt(clamping: support.landlockVersion)
    var rights = confinement_all_rights(version)
    if !restrictions.contains(.files) { rights.files = 0 }
    if !restrictions.contains(.network) { rights.network = 0 }
    if !restrictions.contains(.signals) { rights.scopes &= ~confinement_signal_scope() }
    if !restrictions.contains(.abstractSockets) { rights.scopes &= ~confinement_abstract_socket_scope() }
    restricted = rights.files
    let number = confinement_create_ruleset(rights, version)
    guard number >= 0 else { throw SystemCallError("landlock_create_ruleset", code: ErrorCode(rawValue: errno)) }
    ruleset = Descriptor(owning: number)
  }

  /// The access that a rule permits at a path, and below it if it is a directory.
  public enum Permission: Sendable {
    /// Reading a file.
    case reading
    /// Removing files in a directory.
    case removing
    /// Reading, executing and listing.
    case using
    case everything
  }

  /// Permits something at a path.
  ///
  /// - Throws: `ENOENT` if there is no such file.
  public func permit(_ permission: Permission, at path: UnixPath) throws(SystemCallError) {
    let place = try Descriptor.open(path, .path)
    var rights =
      switch permission {
      case .reading: confinement_reading_rights()
      case .removing: confinement_removing_rights()
      case .using: confinement_using_rights()
      case .everything: restricted
      }
    // The kernel refuses a right that only a directory can have.
    if try !place.isDirectory() { rights &= confinement_rights_of_files() }
    rights &= restricted
    // Nothing of it is forbidden, and the kernel refuses an empty rule.
    if rights == 0 { return }
    guard confinement_permit(ruleset.number, place.number, rights) == 0 else {
      throw SystemCallError("landlock_add_rule", on: path.description, code: ErrorCode(rawValue: errno))
    }
  }

  /// Permits something at each of the paths that exist: what is not there cannot be used.
  public func permit(_ permission: Permission, atAnyOf paths: [UnixPath]) throws(SystemCallError) {
    for path in paths {
      do throws(SystemCallError) { try permit(permission, at: path) } catch {
        if error.code != .noSuchFileOrDirectory { throw error }
      }
    }
  }

  /// Subjects the calling process and its children to the rules, forever.
  public consuming func enter() throws(SystemCallError) {
    guard confinement_restrict_self(ruleset.number) == 0 else {
      throw SystemCallError("landlock_restrict_self", code: ErrorCode(rawValue: errno))
    }
  }
}

extension Descriptor {
  fileprivate func isDirectory() throws(SystemCallError) -> Bool {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw SystemCallError("fstat", code: ErrorCode(rawValue: errno)) }
    return status.st_mode & S_IFMT == S_IFDIR
  }
}
