import Glibc
import Settings
@_spi(Begat) import UnixCore

extension RuntimeDirectory {
  /// Whether the service manager made it and says so.
  private static var isGiven: Bool { getenv("RUNTIME_DIRECTORY") != nil }

  /// Why the directory cannot be used.
  public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case call(SystemCallError)
    /// A file, or a link to wherever its maker wanted.
    case notADirectory(String)
    case ownedByAnother(String, owner: uid_t)
    /// All users may put files there.
    case writableByOthers(String)

    public var description: String {
      switch self {
      case .call(let failure):
        "\(failure); set RUNTIME_DIRECTORY to a directory that user \(geteuid()) may use, or leave %t out of the addresses"
      case .notADirectory(let path): "\(printable(path)): exists and is not a directory; remove it"
      case .ownedByAnother(let path, let owner):
        "\(printable(path)): belongs to user \(owner), not to user \(geteuid()); remove it or set RUNTIME_DIRECTORY"
      case .writableByOthers(let path): "\(printable(path)): anybody may write it; use chmod o-w"
      }
    }
  }

  /// Makes the directory where it is missing, and refuses one that another user controls.
  ///
  /// Root's is open to all, so that they can connect to the sockets in it; anybody else's is private.
  public static func prepare() throws(Refusal) { try prepare(path) }

  static func prepare(_ path: String) throws(Refusal) {
    do throws(SystemCallError) {
      if try FileSystem.makeDirectory(path, mode: geteuid() == 0 ? 0o755 : 0o700) { return }
    } catch { throw .call(error) }
    let status = try existing(path)
    guard status.st_uid == geteuid() || isGiven else { throw .ownedByAnother(path, owner: status.st_uid) }
    guard status.st_mode & S_IWOTH == 0 else { throw .writableByOthers(path) }
  }

  private static func existing(_ path: String) throws(Refusal) -> stat {
    do throws(SystemCallError) {
      // The service manager's own may be a link, as with DynamicUser=.
      let directory = try Descriptor.open(
        path, isGiven ? [.readOnly, .directory] : [.readOnly, .directory, .noFollow])
      return try FileSystem.status(of: directory, at: path)
    } catch {
      switch error.code {
      case .notDirectory, ErrorCode.tooManySymbolicLinkLevels: throw .notADirectory(path)
      // A directory without a mode that lets us in is not ours, or no use.
      default: throw .call(error)
      }
    }
  }
}
