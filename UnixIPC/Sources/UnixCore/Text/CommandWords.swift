/// Splits a command that was typed as one text into words, as a shell does, and does nothing else.
///
/// Blanks separate words; single quotes, double quotes and the backslash take characters literally.  Characters with a
/// meaning for a shell only are refused: as plain words, they would not do what their author expects.  Outside of quotes
/// these are `|`, `;`, `$`, `*` and so on, a `~` or `#` at the beginning of a word, braces with a choice in them and the end
/// of a line; between double quotes they are `$` and the backquote.
public enum CommandWords {
  /// Why a text is no command.
  public enum SplitError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It contains no word.
    case empty
    /// A quote has no end.
    case unfinishedQuote(Character)
    /// A character has a meaning for a shell only.
    case needsShell(Character)

    /// The reason and what to do about it.
    public var description: String {
      switch self {
      case .empty: "no command"
      case .unfinishedQuote(let quote): "no second \(quote) ends what the first one begins"
      case .needsShell("\n"): "the end of a line is for a shell, and there is none: quote it, or write sh -c '...'"
      case .needsShell(let character):
        "\(character) is for a shell, and there is none: quote it, or write sh -c '...'"
      }
    }
  }

  /// What a shell would make several words of: `{a,b}`, `{1..3}`.
  private struct Braces {
    private var isOpen = false
    private var hasComma = false
    private var last: Character?

    mutating func isChoice(after character: Character) -> Bool {
      if character == "{" {
        isOpen = true
        hasComma = false
      }
      if character == "," || character == "." && last == "." { hasComma = true }
      last = character
      return isOpen && hasComma && character == "}"
    }
  }

  private static let shellCharacters: Set<Character> = ["|", "&", ";", "<", ">", "(", ")", "$", "`", "*", "?", "["]

  /// Splits a text into words.
  ///
  /// - Returns: at least one word; a word is empty if quotes say so.
  public static func split(_ text: String) throws(SplitError) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var hasLineEnd = false
    var braces = Braces()
    var rest = text.makeIterator()
    while let character = rest.next() {
      switch (character, quote) {
      case ("\\", nil), ("\\", "\""):
        guard let next = rest.next() else { throw .unfinishedQuote("\\") }
        // Between double quotes it is for those only.
        if quote != nil, !["\"", "\\", "$", "`"].contains(next) { word = (word ?? "") + "\\" }
        word = (word ?? "") + String(next)
      case ("'", nil), ("\"", nil):
        quote = character
        word = word ?? ""
      case ("$", "\""), ("`", "\""): throw .needsShell(character)
      case (_, .some(let open)):
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      default:
        if character.isWhitespace {
          if let word { words.append(word) }
          word = nil
          braces = Braces()
          if character.isNewline, !words.isEmpty { hasLineEnd = true }
        } else if hasLineEnd {
          throw .needsShell("\n")
        } else if word == nil, character == "~" || character == "#" {
          throw .needsShell(character)
        } else if braces.isChoice(after: character) {
          throw .needsShell("{")
        } else if shellCharacters.contains(character) {
          throw .needsShell(character)
        } else {
          word = (word ?? "") + String(character)
        }
      }
    }
    if let quote { throw .unfinishedQuote(quote) }
    if let word { words.append(word) }
    guard !words.isEmpty else { throw .empty }
    return words
  }
}
