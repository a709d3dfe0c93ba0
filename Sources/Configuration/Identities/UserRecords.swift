import Glibc
import JSON
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// Publishes the users of services to the machine's name service, so that ps(1), ls(1) and getpwuid(3) show their
/// names.
///
/// A record stays until the machine starts anew: files and processes may belong to its number as long.  Where there is no
/// nss-systemd, or no right to write, numbers are shown.
///
/// Source: "The drop-in directories" in https://systemd.io/USER_GROUP_API; https://systemd.io/USER_RECORD; nss-systemd(8).
struct UserRecords {
  static let homeDirectory = "/"
  static let shell = "/usr/sbin/nologin"

  var directory = "/run/userdb"
  /// The number of the user of a name.
  var userNumber: (String) -> uid_t? = { Users.number(of: $0) }

  /// Writes what is not there yet.
  func publish(_ numbers: [String: UInt32]) {
    do throws(SystemCallError) {
      _ = try FileSystem.makeDirectory(directory, mode: 0o755)
      guard try UnsafeDirectory.find(on: directory) == nil else { return }
    } catch { return }
    let wanted = numbers.map { (name: accountName(of: $0.key, number: $0.value), service: $0.key, number: $0.value) }
    for user in wanted {
      let present = userNumber(user.name)
      // A user of this name that the administrator has made stays who it is.
      guard present == nil || present == user.number || isRecorded(user.name) else { continue }
      write(Self.user(user.name, user.service, user.number), to: "\(user.name).user", linkedFrom: "\(user.number).user")
      write(Self.group(user.name, user.number), to: "\(user.name).group", linkedFrom: "\(user.number).group")
    }
    removeOldLinks(Dictionary(wanted.map { ($0.name, $0.number) }) { first, _ in first })
  }

  static func user(_ name: String, _ service: String, _ number: UInt32) -> JSONValue {
    .object([
      .init("userName", .string(name)), .init("uid", .integer(Int64(number))), .init("gid", .integer(Int64(number))),
      .init("realName", .string("begat service \(service)")), .init("disposition", .string("dynamic")),
      .init("locked", .boolean(true)), .init("homeDirectory", .string(homeDirectory)),
      .init("shell", .string(shell)),
    ])
  }

  static func group(_ name: String, _ number: UInt32) -> JSONValue {
    .object([
      .init("groupName", .string(name)), .init("gid", .integer(Int64(number))),
      .init("disposition", .string("dynamic")),
    ])
  }

  private func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Whether there is a record of the name, which is then begatd's.
  private func isRecorded(_ user: String) -> Bool { access(path("\(user).user"), F_OK) == 0 }

  private func write(_ record: JSONValue, to name: String, linkedFrom link: String) {
    let bytes = Array((record.text + "\n").utf8)
    if (try? Descriptor.open(UnixPath(path(name)), .readOnly).readPrefix(bytes.count + 1)) != bytes {
      try? replace(name, by: bytes)
    }
    guard target(of: link) != name else { return }
    unlink(path(link))
    symlink(name, path(link))
  }

  private func replace(_ name: String, by bytes: [UInt8]) throws(SystemCallError) {
    let mode: mode_t = 0o644
    let file = try FileReplacement(of: path(name), mode: mode)
    _ = fchmod(file.contents.number, mode)
    try file.contents.writeAll(bytes)
    try file.commit()
  }

  /// Removes numbers that a user had before.
  ///
  /// - Parameter numbers: those that users have now, by their names.
  private func removeOldLinks(_ numbers: [String: UInt32]) {
    for link in (try? DirectoryListing.names(in: directory)) ?? [] {
      guard let number = link.split(separator: ".").first.flatMap({ UInt32(decimal: $0) }),
        let user = target(of: link)?.split(separator: ".").first, let present = numbers[String(user)], present != number
      else { continue }
      unlink(path(link))
    }
  }

  /// The name that a link contains; nil for anything else.
  private func target(of link: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NAME_MAX) + 1) { room in
      let count = readlink(path(link), room.baseAddress!, room.count)
      guard count >= 0 else { return nil }
      return String(decoding: room[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
