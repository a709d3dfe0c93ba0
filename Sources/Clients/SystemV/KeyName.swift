@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A System V key as users write it: a number, or the path of a file that it is made of.
public enum KeyName: Hashable, Sendable {
  case number(SystemVKey)
  case file(path: String, project: UInt8)

  public struct Problem: Error, CustomStringConvertible {
    public let description: String
  }

  /// Reads `1234`, `0x4d2`, and, with a `/` somewhere, `./file` or `/srv/file:7`.
  public init(_ text: String) throws(Problem) {
    if text.utf8.contains(UInt8(ascii: "/")) {
      try self.init(path: text)
      return
    }
    guard let number = Self.number(text) else {
      throw Problem(description: "a key is a number like 1234 or 0x4d2, or a path with a / in it")
    }
    guard number != 0 else { throw Problem(description: "key 0 is no key: it makes objects that no key finds") }
    self = .number(SystemVKey(rawValue: Int32(bitPattern: number)))
  }

  /// Reads `file` or `file:7` or `file:a`.  Without a project it is 1, as to Perl's ftok.
  public init(path text: String) throws(Problem) {
    var path = text[...]
    var project: UInt8 = 1
    if let colon = text.lastIndex(of: ":"), let number = Self.project(text[text.index(after: colon)...]) {
      path = text[..<colon]
      project = number
    }
    guard !path.isEmpty, project != 0 else {
      throw Problem(description: "a key's file is written PATH or PATH:PROJECT, the project a letter or from 1 to 255")
    }
    self = .file(path: String(path), project: project)
  }

  /// The key.
  ///
  /// - Throws: what ftok(3) says of the file.
  public func key() throws(SystemCallError) -> SystemVKey {
    switch self {
    case .number(let key): key
    case .file(let path, let project): try SystemVKey(path: path, project: project)
    }
  }

  /// Nil for a leading 0, which means eight times as much to some.
  private static func number(_ text: String) -> UInt32? {
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      let digits = text.dropFirst(2)
      return digits.utf8.allSatisfy(isHexadecimal) ? UInt32(digits, radix: 16) : nil
    }
    guard text.utf8.allSatisfy(isDigit), text == "0" || !text.hasPrefix("0") else { return nil }
    return UInt32(text)
  }

  /// Nil for what is no project, but a part of the path: anything except digits or one ASCII letter.
  private static func project(_ text: Substring) -> UInt8? {
    guard let first = text.utf8.first else { return nil }
    if text.utf8.allSatisfy(isDigit) { return UInt8(text) ?? 0 }
    let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20)
    return text.utf8.count == 1 && isLetter ? first : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }
}
