import Glibc
@_spi(Begat) import UnixCore

/// The number under which processes that are not related find the same System V object.
///
/// Nobody hands the numbers out: two programs that choose the same one find each other's object.  A key made of a path
/// collides less often, and `madeBy` of the functions that open tells whose object it is.
///
/// Source: sysvipc(7).
public struct SystemVKey: RawRepresentable, Hashable, Sendable {
  /// `key_t`.
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// No key: each creation makes another object, which others know by its identifier only; `IPC_PRIVATE`.
  public static let `private` = SystemVKey(rawValue: 0)

  /// A key made of a file's device and inode number, and of a byte that tells a program's objects apart.
  ///
  /// Only the low bits of both numbers fit in: different files may have the same key, though seldom.  A file that is
  /// removed and made again has another one.
  ///
  /// - Throws: `ENOENT` where the path does not exist, `EINVAL` where `project` is 0, which ftok(3) leaves undefined.
  ///
  /// Source: ftok(3).
  public init(path: UnixPath, project: UInt8) throws(SystemCallError) {
    guard project != 0 else { throw SystemCallError("ftok", on: path.description, code: .invalidArgument) }
    rawValue = try check("ftok", path: path) { ftok($0, CInt(project)) }
  }

  /// Makes a key from a file at a path that is text, and a byte that tells a program's objects apart.
  public init(path: String, project: UInt8) throws(SystemCallError) {
    try self.init(path: UnixPath(path), project: project)
  }
}

extension SystemVKey: CustomStringConvertible {
  /// As ipcs(1) shows it: "0x000004d2".
  public var description: String {
    let digits = String(UInt32(bitPattern: rawValue), radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
