import CConfinement
import Glibc
@_spi(Begat) import UnixCore

/// Rules of Landlock: all that it knows is forbidden, files, TCP ports, signals and abstract sockets, but for what is
/// permitted here.
///
/// Source: landlock(7).
public struct FileRules: ~Copyable {
  private let ruleset: Descriptor

  /// Makes rules that permit nothing.
  ///
  /// - Parameter support: has a version of Landlock.
  public init(_ support: KernelSupport) throws(SystemCallError) {
    let version = CInt(clamping: support.landlockVersion)
    let number = confinement_create_ruleset(confinement_all_rights(version), version)
    guard number >= 0 else { throw SystemCallError("landlock_create_ruleset", code: ErrorCode(rawValue: errno)) }
    ruleset = Descriptor(owning: number)
  }

  /// Permits reading a file, if it exists.
  public func permitReading(_ path: UnixPath) throws(SystemCallError) {
    try permit(path, confinement_reading_rights())
  }

  /// Permits removing files in a directory, if it exists.
  public func permitRemoving(in directory: UnixPath) throws(SystemCallError) {
    try permit(directory, confinement_removing_rights())
  }

  private func permit(_ path: UnixPath, _ rights: UInt64) throws(SystemCallError) {
    let place: Descriptor
    do throws(SystemCallError) { place = try Descriptor.open(path, .path) } catch {
      // What is not there cannot be used, whether it is permitted or not.
      if error.code == .noSuchFileOrDirectory { return }
      throw error
    }
    guard confinement_permit(ruleset.number, place.number, rights) == 0 else {
      throw SystemCallError("landlock_add_rule", on: path.description, code: ErrorCode(rawValue: errno))
    }
  }

  /// Subjects the calling process and its children to the rules, forever.
  public consuming func enter() throws(SystemCallError) {
    guard confinement_restrict_self(ruleset.number) == 0 else {
      throw SystemCallError("landlock_restrict_self", code: ErrorCode(rawValue: errno))
    }
  }
}
