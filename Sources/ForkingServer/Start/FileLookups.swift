import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Users, groups and ports by the files of this machine: a static program has no name service.
///
/// Source: passwd(5), group(5), services(5).
struct FileLookups: MachineLookups {
  /// Larger files are not looked through to their end.
  private static let largestFile = 16 << 20

  var runtimeDirectory: String { RuntimeDirectory.path }

  /// Users by name, read once: lists of peers may name thousands.
  private let users = UserNumbers()

  func userNumber(_ text: String) -> UInt32? {
    users.byName[text] ?? AccountName.number(text)
  }

  /// The user of this name with its groups, or of this number; a number without an entry is its own group.
  ///
  /// Digits are always a number: begatd gives numbers that it has looked up.
  func user(_ text: String) -> Identity? {
    let lines = Self.lines(of: "/etc/passwd")
    if UInt32(decimal: text) == nil,
      let fields = Self.entry(lines, where: { $0.first.map(String.init) == text }, count: 4),
      let user = UInt32(decimal: fields[2]), let group = UInt32(decimal: fields[3])
    {
      return Identity(user: user, group: group, groups: [group] + groups(ofMember: text, beside: group))
    }
    guard let number = AccountName.number(text) else { return nil }
    let fields = Self.entry(lines, where: { $0.count > 2 && $0[2] == text }, count: 4)
    let group = fields.flatMap { UInt32(decimal: $0[3]) } ?? number
    return Identity(user: number, group: group, groups: [])
  }

  /// The variables of the user of this number.
  func loginEnvironment(of number: UInt32) -> LoginEnvironment {
    let fields = Self.entry(
      Self.lines(of: "/etc/passwd"), where: { $0.count > 2 && UInt32(decimal: $0[2]) == number }, count: 7)
    guard let texts = fields?.map(String.init) else { return LoginEnvironment(number: number) }
    return LoginEnvironment(
      userName: texts[0], homeDirectory: texts[5], shell: texts[6].isEmpty ? "/bin/sh" : texts[6])
  }

  /// The number of the group of this name; the number itself where the text is one.
  func groupNumber(_ text: String) -> UInt32? {
    if UInt32(decimal: text) != nil { return AccountName.number(text) }
    let fields = Self.entry(Self.lines(of: "/etc/group"), where: { $0.first.map(String.init) == text }, count: 3)
    return fields.flatMap { UInt32(decimal: $0[2]) }
  }

  func port(_ text: String, isDatagram: Bool) -> UInt16? {
    if let number = UInt16(decimal: text) { return number }
    let wanted = isDatagram ? "udp" : "tcp"
    for line in Self.lines(of: "/etc/services") {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard words.count >= 2, words[0] == text || words.dropFirst(2).contains(Substring(text)) else { continue }
      let port = words[1].split(separator: "/")
      if port.count == 2, port[1] == wanted { return UInt16(decimal: port[0]) }
    }
    return nil
  }

  private func groups(ofMember user: String, beside primary: UInt32) -> [UInt32] {
    Self.lines(of: "/etc/group").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 4, fields[3].split(separator: ",").contains(Substring(user)) else { return nil }
      return UInt32(decimal: fields[2]).flatMap { $0 == primary ? nil : $0 }
    }
  }

  private static func entry(
    _ lines: [Substring], where matches: ([Substring]) -> Bool, count: Int
  ) -> [Substring]? {
    for line in lines {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count >= count, matches(fields) { return fields }
    }
    return nil
  }

  private final class UserNumbers {
    lazy var byName: [String: UInt32] = {
      var numbers: [String: UInt32] = [:]
      for line in FileLookups.lines(of: "/etc/passwd") {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 4, let user = UInt32(decimal: fields[2]), UInt32(decimal: fields[3]) != nil else {
          continue
        }
        // The first entry of a name holds.
        numbers[String(fields[0])] = numbers[String(fields[0])] ?? user
      }
      return numbers
    }()
  }

  private static func lines(of path: String) -> [Substring] {
    guard let descriptor = try? Descriptor.open(path, .readOnly),
      let bytes = try? descriptor.readPrefix(largestFile)
    else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }
}
