@_spi(Begat) import UnixCore

/// What a conversation may wait for.
public struct ConversationPattern {
  enum Kind {
    case literal([UInt8])
    case regex(Regex<AnyRegexOutput>)
    case endOfFile
    case timeOut
  }

  let kind: Kind
  /// For the error that says what did not come.
  let name: String

  /// The bytes of the text as they are; a line's end on a terminal is `"\r\n"`.
  public static func literal(_ text: String) -> ConversationPattern { .literal(Array(text.utf8)) }

  public static func literal(_ bytes: [UInt8]) -> ConversationPattern {
    ConversationPattern(kind: .literal(bytes), name: "\"\(escaped(bytes))\"")
  }

  /// A regex over the text that came, by Unicode scalars, so that `\n` is found in CR LF.
  ///
  /// A byte that is not valid UTF-8 is U+FFFD; a character that has not come whole is left out until it has.  Bytes
  /// come piece by piece: a pattern that may end early, as `\d+`, finds what has come so far; let it end with what
  /// follows.  Each piece has the whole buffer searched again, so it is slower than a literal.
  ///
  /// Some regexes, as `(a*)*b`, may take for ever.  With a deadline, or a descriptor that cancels waits, each search has a
  /// thread of its own, which is left behind, busy, where the search is given up; it has a second at least.
  public static func regex<Output>(_ regex: Regex<Output>) -> ConversationPattern {
    ConversationPattern(kind: .regex(Regex<AnyRegexOutput>(regex.matchingSemantics(.unicodeScalar))), name: "a regex")
  }

  /// The program has ended or closed its terminal, and nothing else was found in what it wrote last.
  public static let endOfFile = ConversationPattern(kind: .endOfFile, name: "end of file")

  /// The deadline has passed.  Without it among the alternatives, that is an error.
  public static let timeOut = ConversationPattern(kind: .timeOut, name: "time-out")
}

extension [ConversationPattern] {
  var endOfFileIndex: Int? { firstIndex { if case .endOfFile = $0.kind { true } else { false } } }
  var timeOutIndex: Int? { firstIndex { if case .timeOut = $0.kind { true } else { false } } }
  /// For the error that says what did not come.
  var names: String { map { $0.name }.joined(separator: ", ") }
}

// Regex is not Sendable; the two constants hold none.
extension ConversationPattern: @unchecked Sendable {}

extension ConversationPattern: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self = .literal(text) }
}
