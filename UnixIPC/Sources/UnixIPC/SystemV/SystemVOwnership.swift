import CPlatform
import Glibc
@_spi(Begat) import UnixCore

/// Whose a System V object is, and who else may use it.
///
/// Source: sysvipc(7).
public struct SystemVOwnership: Hashable, Sendable {
  /// What it is found by; `.private` where its identifier alone names it.
  public let key: SystemVKey
  public let user: uid_t
  public let group: gid_t
  /// Who made it.  The maker keeps the right to remove it, also when it was given to another owner.
  public let creator: uid_t
  /// The nine permission bits; those for execution mean nothing here.
  public let mode: mode_t

  init(_ native: ipc_perm) {
    key = SystemVKey(rawValue: native.__key)
    user = native.uid
    group = native.gid
    creator = native.cuid
    mode = mode_t(native.mode) & 0o777
  }

  /// Refuses an object that somebody else put under our key.
  func check(madeBy expected: uid_t?, _ call: String, _ key: SystemVKey) throws(SystemCallError) {
    guard let expected, creator != expected else { return }
    throw SystemCallError(call.description, on: "key \(key) (made by user \(creator))", code: .notPermitted)
  }
}

/// `IPC_CREAT | IPC_EXCL`
let createExclusively = CInt(IPC_CREAT | IPC_EXCL)

extension ErrorCode {
  /// A System V object was removed while it was waited for or used; `EIDRM`.
  public static let identifierRemoved = ErrorCode.identifierRemoved
}

/// An object that was looked for by key, and made where there was none.
public struct CreatedOrOpened<Object: Sendable>: Sendable {
  public let object: Object
  /// Whether this call made it: true for exactly one of those that try at once.
  public let isNew: Bool
}

/// Creates, and opens where somebody else was first; again when that object is removed in between.
func createOrOpen<Object: Sendable>(
  _ create: () throws(SystemCallError) -> Object, _ open: () throws(SystemCallError) -> Object
) throws(SystemCallError) -> CreatedOrOpened<Object> {
  var attempts = 0
  while true {
    do throws(SystemCallError) { return CreatedOrOpened(object: try create(), isNew: true) } catch {
      if error.code != .fileExists { throw error }
    }
    do throws(SystemCallError) { return CreatedOrOpened(object: try open(), isNew: false) } catch {
      attempts += 1
      let isGone = error.code == .noSuchFileOrDirectory || error.code == .identifierRemoved
      // Somebody who makes and removes it all the time keeps nobody here for ever.
      if !isGone || attempts == 1000 { throw error }
    }
  }
}
