import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Why the file of identities is not used; part of a line that begins with its path.
struct IdentityProblem: Error, Hashable {
  let text: String
}

/// The file `identities` in begatd's state directory.
struct IdentityStore {
  let directory: String
  var path: String { "\(directory)/identities" }

  /// Far more than any range of numbers has lines for.
  private static let largestFile = 8 << 20
  private static let mode: mode_t = 0o644

  /// `$STATE_DIRECTORY`, else `/var/lib/begat`.
  ///
  /// Source: StateDirectory= in systemd.exec(5).
  static var usualDirectory: String { directory(given: getenv("STATE_DIRECTORY").map { String(cString: $0) }) }

  static func directory(given: String?) -> String {
    // systemd separates several directories by colons.
    let first = given?.split(separator: ":").first.map(String.init)
    return first.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? machineDirectory
  }

  /// The state directory of the machine's own begatd.
  static let machineDirectory = "/var/lib/begat"

  /// Keeps other begatds away from the file, whose directory is made where it is missing.
  func lock() throws(IdentityProblem) -> PathLock {
    let danger: UnsafeDirectory?
    do throws(SystemCallError) {
      _ = try FileSystem.makeDirectory(directory, mode: 0o755)
      danger = try UnsafeDirectory.find(on: directory)
    } catch { throw problem("\(error)") }
    if let danger { throw problem("\(danger)") }
    do throws(PathLock.LockError) {
      return try PathLock(beside: UnixPath(path), until: Deadline(after: .seconds(2)))
    } catch {
      switch error {
      case .call(let failure): throw problem("\(failure)")
      case .taken: throw problem("another begatd has locked it for 2 seconds")
      case .foreign(let lock): throw problem("\(lock)")
      }
    }
  }

  /// Reads the file; an empty list where there is none.
  ///
  /// - Parameter isTrusting: whether directory and file may be another user's, as for a tool that only shows numbers.
  func read(isTrusting: Bool) throws(IdentityProblem) -> IdentityList {
    let content: Result<[UInt8], IdentityProblem>
    do throws(SystemCallError) { content = try checkedContent(isTrusting: isTrusting) } catch {
      switch error.code {
      case .noSuchFileOrDirectory, .notDirectory: return IdentityList()
      case ErrorCode.tooManySymbolicLinkLevels: throw problem("is a symbolic link; remove it")
      default: throw problem("\(error)")
      }
    }
    return IdentityList(parsing: try content.get())
  }

  /// The file's content, or why another user may have made it.
  private func checkedContent(isTrusting: Bool) throws(SystemCallError) -> Result<[UInt8], IdentityProblem> {
    if !isTrusting, let danger = try UnsafeDirectory.find(on: directory) { return .failure(problem("\(danger)")) }
    let file = try Descriptor.open(UnixPath(path), [.readOnly, .noFollow, .nonBlocking])
    let status = try FileSystem.status(of: file, at: path)
    let owners = [0, isTrusting ? try FileSystem.status(of: directory).st_uid : geteuid()]
    let fault: String? =
      if status.st_mode & S_IFMT != S_IFREG {
        "not a regular file; remove it"
      } else if !owners.contains(status.st_uid) {
        "belongs to user \(status.st_uid), not to user \(geteuid()); remove it or change its owner"
      } else if status.st_mode & (S_IWGRP | S_IWOTH) != 0 {
        "is writable by group or others; run chmod go-w"
      } else if status.st_size > Self.largestFile {
        "has \(status.st_size) bytes, more than \(Self.largestFile); remove it"
      } else {
        nil
      }
    if let fault { return .failure(problem(fault)) }
    return .success(try FileSystem.content(of: file, at: path, atMost: Self.largestFile))
  }

  /// Puts a new file in the place of the old one, whole and on the disk.
  func replace(by list: IdentityList) throws(IdentityProblem) {
    do throws(SystemCallError) {
      let file = try FileReplacement(of: path, mode: Self.mode)
      // begatd's umask is for what others are not to see.
      _ = fchmod(file.contents.number, Self.mode)
      try file.contents.writeAll(list.text)
      _ = fsync(file.contents.number)
      try file.commit()
    } catch { throw problem("\(error)") }
  }

  private func problem(_ text: String) -> IdentityProblem { IdentityProblem(text: text) }
}
