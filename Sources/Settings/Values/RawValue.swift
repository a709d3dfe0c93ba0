/// A value as it was found in a file or on a command line, before the syntax of its key gives it a meaning.
public indirect enum RawValue: Hashable, Sendable {
  /// A word of a command line: what kind of value it is depends on the key.
  case word(String)
  case string(String)
  case integer(Int64)
  case boolean(Bool)
  case list([RawValue])
  case table([Member])
  /// A kind of value that no key takes, by its name with the article.
  case other(kind: String)

  /// An entry of a table, in the order of the text.
  public struct Member: Hashable, Sendable {
    public let name: String
    public let value: RawValue

    public init(_ name: String, _ value: RawValue) {
      self.name = name
      self.value = value
    }
  }

  /// The text of a string or of a word; nil for other kinds.
  public var text: String? {
    switch self {
    case .word(let text), .string(let text): text
    default: nil
    }
  }

  /// The value as messages show it: a string in quotes, a number in digits, anything else by its kind.
  public var shown: String {
    switch self {
    case .word(let text), .string(let text): quoted(text)
    case .integer(let number): String(number)
    case .boolean(let value): String(value)
    case .list(let elements): elements.isEmpty ? "an empty list" : "a list"
    case .table: "a table"
    case .other(let kind): kind
    }
  }
}

extension RawValue {
  /// The value as TOML writes it on one line.
  ///
  /// Source: TOML 1.0.0, toml.io.
  public var toml: String {
    switch self {
    case .word(let text), .string(let text): "\"\(RawValue.escaping(text))\""
    case .integer(let number): String(number)
    case .boolean(let value): String(value)
    case .list(let elements): "[" + elements.map(\.toml).joined(separator: ", ") + "]"
    case .table(let members):
      members.isEmpty
        ? "{}" : "{ " + members.map { "\(keyText([$0.name])) = \($0.value.toml)" }.joined(separator: ", ") + " }"
    case .other(let kind): preconditionFailure("\(kind) is never rendered")
    }
  }

  private static func escaping(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\u{0}"..."\u{1f}", "\u{7f}":
        let digits = String(character.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// The words that an option takes for this value: one, or one for each element of a list.
  ///
  /// An empty word stands for an empty list.
  var words: [String] {
    switch self {
    case .word(let text), .string(let text): [text]
    case .integer(let number): [String(number)]
    case .boolean(let value): [String(value)]
    case .list(let elements): elements.isEmpty ? [""] : elements.flatMap(\.words)
    case .table, .other: preconditionFailure("the members of a table are options of their own")
    }
  }
}
