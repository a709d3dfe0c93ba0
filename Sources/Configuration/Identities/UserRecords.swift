import Glibc
import JSON
@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// Publishes the users of services to the machine's name service, so that ps(1), ls(1) and getpwuid(3) show their
/// names.
///
/// A record stays as long as begatd's file knows its number, because files and processes may belong to it.  Where there is
/// no nss-systemd, or no right to write, numbers are shown.
///
/// Source: "The drop-in directories" in https://systemd.io/USER_GROUP_API; https://systemd.io/USER_RECORD; nss-systemd(8).
struct UserRecords {
  static let homeDirectory = "/"
  static let shell = "/usr/sbin/nologin"
  /// The description of all users and groups of begatd's begins so.
  private static let description = "begat service "
  private static let namePrefix = "begat-"
  /// Bytes; far more than a record of begatd's has.
  private static let longestRecord = 4096

  var directory = "/run/userdb"
  /// The number of the user of a name.
  var userNumber: (String) -> uid_t? = { Users.number(of: $0) }

  /// Writes what is not there yet, and removes records of numbers that no service has or had.
  ///
  /// - Parameter known: the numbers that services have or had; nil where they are not known, which leaves all records.
  func publish(_ numbers: [String: UInt32], known: IdentityList? = nil) {
    do throws(SystemCallError) {
      _ = try FileSystem.makeDirectory(directory, mode: 0o755)
      guard try UnsafeDirectory.find(on: directory) == nil else { return }
    } catch { return }
    let users = numbers.map { (name: accountName(of: $0.key, number: $0.value), service: $0.key, number: $0.value) }
    // Users and records that the administrator has made stay as they are.
    let wanted = users.filter { user in
      guard
        ["user", "group"].allSatisfy({ mayReplace("\(user.name).\($0)") && mayReplaceLink("\(user.number).\($0)") })
      else { return false }
      let present = userNumber(user.name)
      return present == nil || present == user.number || exists("\(user.name).user")
    }
    for user in wanted {
      write(Self.user(user.name, user.service, user.number), to: "\(user.name).user", linkedFrom: "\(user.number).user")
      write(
        Self.group(user.name, user.service, user.number), to: "\(user.name).group", linkedFrom: "\(user.number).group")
    }
    removeOldLinks(Dictionary(wanted.map { ($0.name, $0.number) }) { first, _ in first })
    if let known { removeStale(known) }
  }

  /// Removes what begatd has written of services and numbers that its file does not have any more.
  private func removeStale(_ known: IdentityList) {
    let names = (try? DirectoryListing.names(in: directory)) ?? []
    for name in names where name.hasPrefix(Self.namePrefix) {
      guard mayReplace(name), let owner = owner(ofRecord: name) else { continue }
      if !known.numbers(of: owner.service).contains(owner.number) { unlink(path(name)) }
    }
    // Links that lead nowhere now.
    for link in names {
      guard UInt32(decimal: link.prefix { $0 != "." }) != nil, let record = target(of: link),
        record.hasPrefix(Self.namePrefix), !record.contains("/"), !exists(record)
      else { continue }
      unlink(path(link))
    }
  }

  /// The service of a record of begatd's, and its number.
  private func owner(ofRecord name: String) -> (service: String, number: UInt32)? {
    guard let record = record(name), let number = record["gid"]?.integer.flatMap({ UInt32(exactly: $0) }),
      let description = (record["realName"] ?? record["description"])?.string
    else { return nil }
    return (String(description.dropFirst(Self.description.count)), number)
  }

  static func user(_ name: String, _ service: String, _ number: UInt32) -> JSONValue {
    .object([
      .init("userName", .string(name)), .init("uid", .integer(Int64(number))), .init("gid", .integer(Int64(number))),
      .init("realName", .string("\(description)\(service)")), .init("disposition", .string("dynamic")),
      .init("locked", .boolean(true)), .init("homeDirectory", .string(homeDirectory)),
      .init("shell", .string(shell)),
    ])
  }

  static func group(_ name: String, _ service: String, _ number: UInt32) -> JSONValue {
    .object([
      .init("groupName", .string(name)), .init("gid", .integer(Int64(number))),
      .init("description", .string("\(description)\(service)")), .init("disposition", .string("dynamic")),
    ])
  }

  private func path(_ name: String) -> String { "\(directory)/\(name)" }

  private func exists(_ name: String) -> Bool {
    var status = stat()
    return lstat(path(name), &status) == 0
  }

  /// Whether there is no record of the name, or one that begatd has made.
  private func mayReplace(_ name: String) -> Bool {
    guard exists(name) else { return true }
    guard let record = record(name), record["disposition"]?.string == "dynamic" else { return false }
    return ["realName", "description"].contains { record[$0]?.string?.hasPrefix(Self.description) ?? false }
  }

  /// Nil if it cannot be read.
  private func record(_ name: String) -> JSONValue? {
    guard
      let bytes = try? Descriptor.open(UnixPath(path(name)), [.readOnly, .noFollow, .nonBlocking]).readPrefix(
        Self.longestRecord)
    else { return nil }
    return try? JSONReader.read(bytes)
  }

  /// Whether there is no record of a number, or a link to one that begatd has made.
  private func mayReplaceLink(_ name: String) -> Bool {
    guard exists(name) else { return true }
    guard let record = target(of: name) else { return false }
    return record.hasPrefix(Self.namePrefix) && !record.contains("/") && mayReplace(record)
  }

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
