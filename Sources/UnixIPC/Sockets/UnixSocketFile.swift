import CPlatform
import Glibc

/// The file of a Unix socket that this process bound: never a live server's, never anything but a socket replaced.
public struct UnixSocketFile: Sendable {
  public let path: String
  private let device: dev_t
  private let inode: ino_t

  /// Who may connect.  Nil leaves the creator's own user and group.
  public struct Access: Sendable {
    public var mode: mode_t
    public var user: uid_t?
    public var group: gid_t?

    public init(mode: mode_t = 0o666, user: uid_t? = nil, group: gid_t? = nil) {
      self.mode = mode
      self.user = user
      self.group = group
    }
  }

  /// Why a path cannot be taken.
  public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case call(CallFailure)
    /// Somebody answers at this path.
    case inUse(String)
    /// A file, a link, a directory: nothing that a server left behind.
    case notASocket(String)
    /// Everybody may rename files in its directory.
    case unsafeDirectory(String)

    public var description: String {
      switch self {
      case .call(let failure): failure.description
      case .inUse(let path): "bind \(path): another server is listening there; stop it or choose another path"
      case .notASocket(let path): "bind \(path): exists and is not a socket; remove it or choose another path"
      case .unsafeDirectory(let path):
        "bind \(path): anybody may replace files in its directory; set its sticky bit or choose another directory"
      }
    }
  }

  /// Binds a stream socket to the path and listens.  Nobody can connect before owner and mode are right.
  ///
  /// - Throws: `Refusal`.
  public static func listen(at path: String, backlog: CInt, access: Access) throws(Refusal)
    -> ListeningUnixSocket
  {
    // A socket that is bound and does not listen yet looks like a dead server's: nobody else may look until it does.
    let directory = try lockDirectory(of: path)
    let bound = try bind(at: path, in: directory, kind: streamKind, access: access)
    let file = bound.file
    do throws(CallFailure) {
      let socket = try ListeningSocket(listeningOn: bound.socket, backlog: backlog, address: .unixPath(path))
      _ = consume directory
      return ListeningUnixSocket(socket: socket, file: file)
    } catch {
      file.removeIfOurs()
      throw .call(error)
    }
  }

  /// Binds a datagram socket, after removing one that a dead server left.
  public static func bind(at path: String, kind: CInt, access: Access) throws(Refusal) -> BoundUnixSocket {
    let directory = try lockDirectory(of: path)
    let bound = try bind(at: path, in: directory, kind: kind, access: access)
    _ = consume directory
    return bound
  }

  private static func bind(at path: String, in directory: borrowing Descriptor, kind: CInt, access: Access)
    throws(Refusal) -> BoundUnixSocket
  {
    do {
      if try ParentDirectory.isUnsafe(directory) { throw Refusal.unsafeDirectory(path) }
      if let occupant = try facts(path) {
        guard occupant.st_mode & S_IFMT == S_IFSOCK else { throw Refusal.notASocket(path) }
        guard try isStale(path, kind: kind) else { throw Refusal.inUse(path) }
        _ = try check("unlink", on: path) { unlink(path) }
      }
      let socket = try Descriptor.bound(to: .unixPath(path), kind: kind)
      let bound = try facts(path)
      let file = UnixSocketFile(path: path, device: bound?.st_dev ?? 0, inode: bound?.st_ino ?? 0)
      do throws(CallFailure) { try open(path, to: access) } catch {
        file.removeIfOurs()
        throw error
      }
      return BoundUnixSocket(socket: socket, file: file)
    } catch let refusal as Refusal {
      throw refusal
    } catch let failure as CallFailure {
      throw .call(failure)
    } catch {
      preconditionFailure("no other error is thrown above: \(error)")
    }
  }

  /// Owner before mode: the other way round, the mode would be the wrong owner's for a moment.
  private static func open(_ path: String, to access: Access) throws(CallFailure) {
    if access.user != nil || access.group != nil {
      _ = try check("chown", on: path) { chown(path, access.user ?? uid_t.max, access.group ?? gid_t.max) }
    }
    _ = try check("chmod", on: path) { chmod(path, access.mode) }
  }

  /// Removes the file if it is still the one that this process bound.
  public func removeIfOurs() {
    guard let present = try? UnixSocketFile.facts(path), present.st_dev == device, present.st_ino == inode else {
      return
    }
    unlink(path)
  }

  /// Locked until the descriptor closes: servers that start together look at the path one after the other.
  private static func lockDirectory(of path: String) throws(Refusal) -> Descriptor {
    let parent = ParentDirectory.path(of: path)
    do throws(CallFailure) {
      let directory = try Descriptor.open(parent, O_RDONLY | O_DIRECTORY)
      _ = try check("flock", on: parent) { flock(directory.number, LOCK_EX) }
      return directory
    } catch { throw .call(error) }
  }

  /// What is at the path, links not followed; nil when nothing is.
  private static func facts(_ path: String) throws(CallFailure) -> stat? {
    var facts = stat()
    do throws(CallFailure) {
      _ = try check("lstat", on: path) { lstat(path, &facts) }
      return facts
    } catch {
      if error.errno == .noSuchFile { return nil }
      throw error
    }
  }

  /// Whether nobody listens any more: only then does the kernel refuse the connection.
  private static func isStale(_ path: String, kind: CInt) throws(CallFailure) -> Bool {
    let native = try NativeAddress(.unixPath(path))
    let probe = try Descriptor.socket(family: AF_UNIX, kind: kind | nonBlockingFlag)
    let result = native.withPointer { connect(probe.number, $0, $1) }
    return result == -1 && Errno.current == .connectionRefused
  }
}

/// A socket bound to a path, and the file that it made there.
@frozen public struct BoundUnixSocket: ~Copyable {
  public let socket: Descriptor
  public let file: UnixSocketFile
}

/// A listening socket, and the file that it made.
@frozen public struct ListeningUnixSocket: ~Copyable {
  public let socket: ListeningSocket
  public let file: UnixSocketFile
}
