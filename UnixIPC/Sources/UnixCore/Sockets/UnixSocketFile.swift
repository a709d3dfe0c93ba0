import CPlatform
import Glibc

/// The file of a Unix socket that this process bound: never a live server's, never anything but a socket replaced.
public struct UnixSocketFile: Sendable {
  /// The path that the socket was bound to.
  public let path: UnixPath
  /// The file's file system, and its number there: they tell it from another file at the same path.
  @_spi(Begat) public let device: dev_t
  @_spi(Begat) public let inode: ino_t

  /// The file of a socket that another process has bound at the path, as that process knows it.
  @_spi(Begat) public init(path: UnixPath, device: dev_t, inode: ino_t) {
    self.path = path
    self.device = device
    self.inode = inode
  }

  /// The owner and the permissions of the file, which decide what may connect.
  public struct Access: Sendable {
    /// The permissions of the file: to connect, a process needs permission to write.
    public var mode: mode_t
    /// The owner; nil for the creator's user.
    public var user: uid_t?
    /// The group; nil for the creator's group.
    public var group: gid_t?

    /// Access for everyone, unless arguments restrict it.
    public init(mode: mode_t = 0o666, user: uid_t? = nil, group: gid_t? = nil) {
      self.mode = mode
      self.user = user
      self.group = group
    }
  }

  /// Why a path cannot be taken.
  public enum BindError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call failed.
    case call(SystemCallError)
    /// A server answers at this path.
    case inUse(UnixPath)
    /// The path is a file, a link or a directory: nothing that a server left behind.
    case notASocket(UnixPath)
    /// Another user may replace files in its directory, or swap a directory on the way to it.
    case unsafeDirectory(UnixPath, UnsafeDirectory)
    /// Another process of this user has been binding the path for seconds.
    case locked(UnixPath)
    /// Another user has made the file by which processes lock the path.
    case foreignLock(UnixPath, ForeignLock)

    /// One line that names the path and the remedy.
    public var description: String {
      switch self {
      case .call(let failure): failure.description
      case .inUse(let path): "bind \(path): another server is listening there; stop it or choose another path"
      case .notASocket(let path): "bind \(path): exists and is not a socket; remove it or choose another path"
      case .unsafeDirectory(let path, let why): "bind \(path): \(why)"
      case .locked(let path): "bind \(path): another process is binding it and does not finish; end that process"
      case .foreignLock(let path, let lock): "bind \(path): \(lock)"
      }
    }
  }

  /// How long another process that binds the same path is waited for.
  private static let lockPatience = Duration.seconds(2)

  /// Binds a stream socket to the path and listens.  No client can connect before owner and mode are right.
  ///
  /// - Throws: `BindError`.
  public static func listen(at path: UnixPath, backlog: CInt, access: Access) throws(BindError)
    -> ListeningUnixSocket
  {
    // A socket that is bound and does not listen yet looks like a dead server's: no other server may look until it does.
    let lock = try lock(path)
    let bound = try bind(path, kind: .stream, access: access)
    let file = bound.file
    do throws(SystemCallError) {
      let socket = try ListeningSocket(listeningOn: bound.socket, backlog: backlog, address: .unixPath(path))
      _ = consume lock
      return ListeningUnixSocket(socket: socket, file: file)
    } catch {
      file.removeIfOurs()
      throw .call(error)
    }
  }

  /// Binds a datagram socket, after removing one that a dead server left.
  public static func bind(at path: UnixPath, kind: SocketKind, access: Access) throws(BindError) -> BoundUnixSocket {
    let lock = try lock(path)
    let bound = try bind(path, kind: kind, access: access)
    _ = consume lock
    return bound
  }

  /// Servers that start together look at the path one after the other.
  private static func lock(_ path: UnixPath) throws(BindError) -> PathLock {
    let danger: UnsafeDirectory?
    do throws(SystemCallError) { danger = try UnsafeDirectory.find(on: path.parent) } catch {
      throw .call(SystemCallError("bind", on: path.description, code: error.code))
    }
    if let danger { throw .unsafeDirectory(path, danger) }
    do throws(PathLock.LockError) {
      return try PathLock(beside: path, until: Deadline(after: lockPatience))
    } catch {
      switch error {
      case .call(let failure): throw .call(SystemCallError("bind", on: path.description, code: failure.code))
      case .taken: throw .locked(path)
      case .foreign(let lock): throw .foreignLock(path, lock)
      }
    }
  }

  private static func bind(_ path: UnixPath, kind: SocketKind, access: Access) throws(BindError) -> BoundUnixSocket {
    do {
      if let occupant = try status(path) {
        guard occupant.st_mode & S_IFMT == S_IFSOCK else { throw BindError.notASocket(path) }
        guard try isStale(path, kind: kind) else { throw BindError.inUse(path) }
        _ = try check("unlink", path: path) { unlink($0) }
      }
      let socket = try Descriptor.socket(family: .unix, kind: kind)
      // The file's mode at birth is the socket's, less the umask: no other user can connect before it has its owner.
      let isGivenAway = access.user != nil || access.group != nil
      _ = try check("fchmod", on: path.description) { fchmod(socket.number, isGivenAway ? 0 : access.mode & 0o777) }
      let native = try RawSocketAddress(.unixPath(path))
      _ = try check("bind", on: path.description) { native.withPointer { Glibc.bind(socket.number, $0, $1) } }
      let present = try status(path)
      let file = UnixSocketFile(path: path, device: present?.st_dev ?? 0, inode: present?.st_ino ?? 0)
      do throws(SystemCallError) { try file.give(access) } catch {
        file.removeIfOurs()
        throw error
      }
      return BoundUnixSocket(socket: socket, file: file)
    } catch let error as BindError {
      throw error
    } catch let failure as SystemCallError {
      throw .call(failure)
    } catch {
      preconditionFailure("no other error is thrown above: \(error)")
    }
  }

  /// Sets owner and mode of this very file, whatever is at the path by now.
  ///
  /// Sets the group first, so that the mode never applies to the old group; the user comes last, because only the owner
  /// may change the mode.
  ///
  /// - Throws: `ESTALE` if another file is at the path.
  func give(_ access: Access) throws(SystemCallError) {
    try change(to: access, isNew: true)
  }

  /// Sets owner and mode of this very file after it was given others; what `access` leaves out is the creator's again.
  ///
  /// - Throws: `ESTALE` if another file is at the path.
  @_spi(Begat) public func change(to access: Access) throws(SystemCallError) {
    var access = access
    access.user = access.user ?? geteuid()
    access.group = access.group ?? getegid()
    try change(to: access, isNew: false)
  }

  private func change(to access: Access, isNew: Bool) throws(SystemCallError) {
    let handle = try Descriptor.open(path, [.path, .noFollow])
    var present = stat()
    _ = try check("fstat", on: path.description) { fstat(handle.number, &present) }
    guard isThis(present), present.st_mode & S_IFMT == S_IFSOCK, !isNew || present.st_uid == geteuid() else {
      throw SystemCallError("bind", on: path.description, code: .staleNFSFileHandle)
    }
    let ownPath = "/proc/self/fd/\(handle.number)"
    func give(user: uid_t?, group: gid_t?) throws(SystemCallError) {
      guard user ?? present.st_uid != present.st_uid || group ?? present.st_gid != present.st_gid else { return }
      _ = try check("chown", on: path.description) { chown(ownPath, user ?? uid_t.max, group ?? gid_t.max) }
      present.st_uid = user ?? present.st_uid
      present.st_gid = group ?? present.st_gid
    }
    let mode = access.mode & 0o777
    try give(user: nil, group: access.group)
    if present.st_mode & 0o7777 != mode {
      // Without CAP_FOWNER only the owner may change the mode: take the file back for that.
      if !isNew { try give(user: geteuid(), group: nil) }
      _ = try check("chmod", on: path.description) { chmod(ownPath, mode) }
    }
    try give(user: access.user, group: nil)
  }

  private func isThis(_ status: stat) -> Bool { status.st_dev == device && status.st_ino == inode }

  /// Whether a path leads to this very file, by another spelling perhaps.
  public func isAt(_ path: UnixPath) -> Bool { (try? UnixSocketFile.status(path)).flatMap { $0 }.map(isThis) ?? false }

  /// Removes the file if it is still the one that this process bound.
  public func removeIfOurs() {
    if isAt(path) { _ = try? check("unlink", path: path) { unlink($0) } }
  }

  /// What is at the path, links not followed; nil when nothing is.
  private static func status(_ path: UnixPath) throws(SystemCallError) -> stat? {
    do throws(SystemCallError) { return try FileMetadata(at: path).native } catch {
      if error.code == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }

  /// Whether no socket listens there any more: only then does the kernel refuse the connection.
  private static func isStale(_ path: UnixPath, kind: SocketKind) throws(SystemCallError) -> Bool {
    // A server that is listed is not connected to: it would start a program for nothing.
    if UnixSocketTable.hasServer(at: path) { return false }
    let native = try RawSocketAddress(.unixPath(path))
    let probe = try Descriptor.socket(family: .unix, kind: kind, isNonBlocking: true)
    let result = native.withPointer { connect(probe.number, $0, $1) }
    return result == -1 && ErrorCode.current == .connectionRefused
  }
}

/// Paths that are text.
extension UnixSocketFile {
  /// Binds a stream socket to a path that is text and listens; see `listen(at:backlog:access:)` of a `UnixPath`.
  public static func listen(at path: String, backlog: CInt, access: Access) throws(BindError) -> ListeningUnixSocket {
    try listen(at: UnixPath(path), backlog: backlog, access: access)
  }

  /// Binds a socket of a kind to a path that is text, after removing a socket that a dead server left.
  public static func bind(at path: String, kind: SocketKind, access: Access) throws(BindError) -> BoundUnixSocket {
    try bind(at: UnixPath(path), kind: kind, access: access)
  }

  /// Whether a path that is text leads to this very file.
  public func isAt(_ path: String) -> Bool { isAt(UnixPath(path)) }
}

/// A socket bound to a path, and the file that it made there.
@frozen public struct BoundUnixSocket: ~Copyable, Sendable {
  /// The socket.
  public let socket: Descriptor
  /// The file, to be removed at the end.
  public let file: UnixSocketFile
}

/// A listening socket, and the file that it made.
@frozen public struct ListeningUnixSocket: ~Copyable, Sendable {
  /// The socket.
  public let socket: ListeningSocket
  /// The file, to be removed at the end.
  public let file: UnixSocketFile
}
