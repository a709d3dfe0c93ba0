import Glibc
@_spi(Begat) import UnixCore

/// The number by which unrelated processes find the same System V object.
///
/// The numbers are not assigned: two programs that choose the same one find each other's object.  A key made of a path
/// collides less often, and the parameter `owner` of the functions that open refuses another user's object.
///
/// Source: sysvipc(7).
public struct SystemVKey: RawRepresentable, Hashable, Sendable {
  /// The number, `key_t`.
  public let rawValue: Int32

  /// The key of a number that programs have agreed on.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// No key: each creation makes another object, which other processes know only by its identifier; `IPC_PRIVATE`.
  public static let `private` = SystemVKey(rawValue: 0)

  /// Makes a key from a file's device and inode number, and from a byte that distinguishes a program's objects.
  ///
  /// Only the low bits of both numbers fit in: different files have the same key in rare cases.  A file that is removed
  /// and made again has another one.
  ///
  /// - Parameter path: an existing file.
  /// - Parameter project: 1 to 255.
  /// - Throws: `ENOENT` if the path does not exist, `EINVAL` if `project` is 0, which ftok(3) leaves undefined, and for a
  ///   path with a NUL.
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
  /// The key as ipcs(1) shows it: "0x000004d2".
  public var description: String {
    let digits = String(UInt32(bitPattern: rawValue), radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
