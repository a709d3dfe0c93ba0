/// A command line, prepared for the parser of options.
///
/// Without `--`, the parser would take the options of the user's command for begat's own; `--` is inserted here if it was
/// left out, as env(1), timeout(1) and sudo(8) allow.  The parser's time grows with the square of the number of words, so it
/// gets as few as possible.
public struct CommandLineWords: Sendable {
  /// nil for a command of another form.
  public let form: CommandForm?
  /// The whole line, with `--` before the command.
  public private(set) var marked: [String] = []
  /// The operands that the parser does not see.
  public private(set) var operands: [String] = []
  /// Where the command's `--` is.
  private var boundary: Int?

  /// How many operands the parser sees.
  private static let parsedOperands = 100

  /// - Parameter typed: the line without the program's name.
  public init(_ typed: [String]) {
    form = CommandForm.all.first { typed.starts(with: $0.name) }
    guard let form else {
      marked = typed
      return
    }
    marked = form.name
    var rest = typed.dropFirst(form.name.count)
    var hasOptions = true
    var ownWords = form.ownWords
    var operandsToParse = form.end == .sources ? 0 : Self.parsedOperands
    while let word = rest.first {
      if hasOptions, word == "--", form.end == .command {
        mark(rest.dropFirst())
        return
      }
      if !hasOptions || word == "-" || !word.hasPrefix("-") {
        if ownWords > 0 {
          ownWords -= 1
        } else if form.end == .command {
          mark(rest)
          return
        } else if operandsToParse > 0 {
          operandsToParse -= 1
        } else {
          operands.append(word)
          rest = rest.dropFirst()
          continue
        }
        marked.append(word)
      } else if word == "--" {
        hasOptions = false
        if form.end == .operands { marked.append(word) }
      } else if form.optionsWithValue.contains(word), let value = rest.dropFirst().first {
        rest = rest.dropFirst()
        // By itself it would end the options for the parser.
        marked += value == "--" && word.hasPrefix("--") ? ["\(word)=\(value)"] : [word, value]
      } else {
        marked.append(word)
      }
      rest = rest.dropFirst()
    }
  }

  private mutating func mark(_ command: ArraySlice<String>) {
    boundary = marked.count
    marked += ["--"] + command
  }

  /// The words that the parser sees: of a command only the first, since all of them are taken as they are.
  public var parsed: [String] {
    guard let boundary else { return marked }
    return Array(marked[...min(boundary + 1, marked.count - 1)])
  }

  /// How many words at the end of the line are the command's.
  public var commandLength: Int { boundary.map { marked.count - $0 - 1 } ?? 0 }
}
