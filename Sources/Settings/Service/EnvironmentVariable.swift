import ProxyProtocol
@_spi(Begat) import UnixCore

/// A variable of a program's environment.
public struct EnvironmentVariable: Hashable, Sendable {
  public let name: String
  /// One line.
  public let value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// The form of environ(7): `NAME=value`.
  public var entry: String { "\(name)=\(value)" }

  /// Linux refuses a program with a longer variable, name and zero byte included.
  ///
  /// Source: MAX_ARG_STRLEN of execve(2).
  public static let maxEntryLength = 131_071

  /// Whether the text consists of letters, digits and `_`, no digit first.
  public static func isName(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }

  /// Whether begat itself sets variables of this name, which then describe the client.
  public static func isReserved(_ name: some StringProtocol) -> Bool {
    name == "PROTO" || ["TCP", "IPC", "REMOTE_", "LISTEN_"].contains { name.hasPrefix($0) }
      || name == "PROXY_ADDR" || name == "PROXY_PORT" || ProxyExtensions.variableNames.contains(String(name))
  }
}

extension Syntax where Value == [EnvironmentVariable] {
  static let environment = members(
    "TEXT", "a table of variables such as { LANG = \"C.UTF-8\" }",
    example: .table([RawValue.Member("LANG", .string("C.UTF-8"))]),
    read: { name, raw throws(ValueProblems) in try variable(name, raw) },
    render: { RawValue.Member($0.name, .string($0.value)) })
}

private func variable(_ name: String, _ raw: RawValue) throws(ValueProblems) -> EnvironmentVariable {
  guard EnvironmentVariable.isName(name) else {
    throw ValueProblems("expected a variable's name of letters, digits and _, no digit first")
  }
  guard !EnvironmentVariable.isReserved(name) else {
    throw ValueProblems("begat sets variables of this name itself: they tell programs who the client is")
  }
  guard let text = raw.text else {
    throw ValueProblems("expected the variable's value in quotes, found \(raw.shown)")
  }
  guard !text.utf8.contains(0), !text.utf8.contains(UInt8(ascii: "\n")) else {
    throw ValueProblems("expected a value of one line, found a \(text.utf8.contains(0) ? "NUL" : "line feed") in it")
  }
  let variable = EnvironmentVariable(name, text)
  let length = variable.entry.utf8.count
  guard length <= EnvironmentVariable.maxEntryLength else {
    throw ValueProblems(
      "expected at most \(EnvironmentVariable.maxEntryLength) bytes with the name, found \(length): "
        + "no program could be started")
  }
  return variable
}
