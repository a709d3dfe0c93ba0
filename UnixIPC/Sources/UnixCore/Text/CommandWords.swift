/// A command that was typed as one text, cut into words as a shell would, and nothing more.
///
/// Blanks separate words; single quotes, double quotes and the backslash take characters as they are.  What only a shell
/// could do (`|`, `;`, `$`, `*` and so on, outside of quotes) is refused: taken as a plain word, it would do something else
/// than was meant.
public enum CommandWords {
  /// Why a text is no command.
  public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case empty
    case unfinishedQuote(Character)
    case needsShell(Character)

    public var description: String {
      switch self {
      case .empty: "no command"
      case .unfinishedQuote(let quote): "no second \(quote) ends what the first one begins"
      case .needsShell(let character):
        "\(character) is for a shell, and there is none: quote it, or write sh -c '...'"
      }
    }
  }

  private static let shellCharacters: Set<Character> = ["|", "&", ";", "<", ">", "(", ")", "$", "`", "*", "?", "["]

  /// - Returns: at least one word; words may be empty, where quotes say so.
  public static func split(_ text: String) throws(Refusal) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = text.makeIterator()
    while let character = rest.next() {
      switch (character, quote) {
      case ("\\", nil), ("\\", "\""):
        guard let next = rest.next() else { throw .unfinishedQuote("\\") }
        // Between double quotes it is for those two only.
        if quote != nil, next != "\"", next != "\\" { word = (word ?? "") + "\\" }
        word = (word ?? "") + String(next)
      case ("'", nil), ("\"", nil):
        quote = character
        word = word ?? ""
      case (_, .some(let open)):
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      default:
        if character.isWhitespace {
          if let word { words.append(word) }
          word = nil
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
