@_spi(Begat) import UnixCore

/// What a conversation waits for.
///
/// It is not `Sendable`: a regex may hold closures that belong to the thread that made them.
public struct ConversationPattern {
  enum Kind {
    case literal([UInt8])
    case regex(Regex<AnyRegexOutput>, lookingBack: Int?)
    case endOfFile
    case timeOut
  }

  let kind: Kind
  /// For the error that says what did not come.
  let name: String

  /// A text, byte for byte; the end of a line on a terminal is `"\r\n"`.
  public static func literal(_ text: String) -> ConversationPattern { .literal(Array(text.utf8)) }

  /// Bytes as they are.
  public static func literal(_ bytes: [UInt8]) -> ConversationPattern {
    ConversationPattern(kind: .literal(bytes), name: "\"\(escaped(bytes))\"")
  }

  /// A regex over the text that came, by Unicode scalars, so that `\n` is found in CR LF.
  ///
  /// A byte that is not valid UTF-8 becomes U+FFFD; a character of which only the beginning has come is left out.  Bytes
  /// come piece by piece: a pattern that may end early, such as `\d+`, finds what has come so far; let it end with what
  /// follows.  The whole buffer is searched after each piece, so a regex is slower than a literal.
  ///
  /// Closures of the regex, such as the transformation of a capture, run in the thread of the search.  They may outlive an
  /// abandoned search's caller, and must be as safe as `Sendable` closures are, which the compiler does not check here.
  ///
  /// Swift's regexes backtrack: the time of some, such as `(a*)*b`, doubles with each byte.  With a deadline or a
  /// cancellation, each search runs in a thread of its own.  It has at least one second even if its own deadline is
  /// nearer; a deadline of `withDeadline` is kept exactly.  A search that takes longer is abandoned: its thread stays busy until it is done, and forks fail with `EDEADLK` meanwhile.  While
  /// four abandoned searches of a process are busy, further searches fail with `EAGAIN`.  Against a program that is not
  /// trusted, use literals, or a regex without nested repetitions.
  ///
  /// - Parameter regex: the regex.
  /// - Parameter count: how many bytes before the newest ones a match may begin, at least; a line is always searched from its
  ///   beginning.  With nil, all that waits is searched again after each piece, so that the time grows with the square of
  ///   the output.  A regex that looks at what comes before the match, such as `^`, needs nil.
  public static func regex<Output>(_ regex: Regex<Output>, lookingBack count: Int? = nil) -> ConversationPattern {
    ConversationPattern(
      kind: .regex(Regex<AnyRegexOutput>(regex.matchingSemantics(.unicodeScalar)), lookingBack: count),
      name: "match of a regex")
  }

  /// The end: the program has ended or closed its terminal, and no other pattern was found in what it wrote last.
  public static var endOfFile: ConversationPattern { ConversationPattern(kind: .endOfFile, name: "end of file") }

  /// The deadline.  If it is not among the patterns, a deadline that passes is an error.
  public static var timeOut: ConversationPattern { ConversationPattern(kind: .timeOut, name: "time-out") }
}

extension [ConversationPattern] {
  var endOfFileIndex: Int? { firstIndex { if case .endOfFile = $0.kind { true } else { false } } }
  var timeOutIndex: Int? { firstIndex { if case .timeOut = $0.kind { true } else { false } } }
  /// For the error that says what did not come.
  var names: String { map { $0.name }.joined(separator: " or ") }
}

extension ConversationPattern: ExpressibleByStringLiteral {
  /// The literal's text, byte for byte.
  public init(stringLiteral text: String) { self = .literal(text) }
}
