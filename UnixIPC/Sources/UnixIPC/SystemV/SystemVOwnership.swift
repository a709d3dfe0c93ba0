import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Key, owner and permissions of a System V object.
///
/// Source: sysvipc(7).
public struct SystemVOwnership: Hashable, Sendable {
  /// The key by which the object is found; `.private` if only its identifier names it.
  public let key: SystemVKey
  /// The user that owns the object.
  public let user: uid_t
  /// The group that owns the object.
  public let group: gid_t
  /// The user that made the object, and may remove it even if it was given to another owner.
  public let creator: uid_t
  /// The nine permission bits; those for execution have no meaning.
  public let mode: mode_t

  init(_ native: ipc_perm) {
    key = SystemVKey(rawValue: native.__key)
    user = native.uid
    group = native.gid
    creator = native.cuid
    mode = mode_t(native.mode) & 0o777
  }

  /// Refuses an object that another user made under our key.
  func check(owner expected: uid_t?, _ call: String, _ key: SystemVKey) throws(SystemCallError) {
    guard let expected, creator != expected else { return }
    throw SystemCallError(call, on: "key \(key) (made by user \(creator))", code: .notPermitted)
  }
}

/// `IPC_CREAT | IPC_EXCL`
let createExclusively = CInt(IPC_CREAT | IPC_EXCL)

/// Creates an object, or opens it if another process was first; again if that object is removed in between.
func createOrOpen<Object: Sendable>(
  _ create: () throws(SystemCallError) -> Object, _ open: () throws(SystemCallError) -> Object
) throws(SystemCallError) -> (object: Object, isNew: Bool) {
  var attempts = 0
  while true {
    do throws(SystemCallError) { return (try create(), isNew: true) } catch {
      if error.code != .fileExists { throw error }
    }
    do throws(SystemCallError) { return (try open(), isNew: false) } catch {
      attempts += 1
      let isGone = error.code == .noSuchFileOrDirectory || error.code == .identifierRemoved
      // A process that makes and removes it all the time does not hold this one up forever.
      if !isGone || attempts == 1000 { throw error }
    }
  }
}
