/// Puts `--` before the command that a command of begat runs, where the user has left it out, as env(1), timeout(1) and
/// sudo(8) allow.
///
/// The parser takes all words after `--` as they are.  Without it, it would take the command's options for begat's.
enum CommandBoundary {
  /// A command that runs another one.
  struct Form: Sendable {
    /// Its name, as typed after `begat`.
    let name: [String]
    /// How many words of its own come before the command.
    var ownWords = 0
    /// Its options that have a value.
    let optionsWithValue: Set<String>
  }

  static let forms: [Form] = [
    Form(
      name: ["run"],
      optionsWithValue: [
        "--user", "--group", "--directory", "--timeout", "--max-output", "--separator", "--signal", "-s",
        "--kill-after",
        "-k",
      ]),
    Form(name: ["pipe"], optionsWithValue: ConversationOptions.withValue.union(["--errors"])),
    Form(
      name: ["interact"],
      optionsWithValue: ConversationOptions.withValue.union(["--escape", "--log", "--log-sent", "--size"])),
    Form(name: ["signature"], optionsWithValue: ["--fifo", "--name", "--fortunes", "--timeout"]),
    Form(
      name: ["sem", "take"], ownWords: 1, optionsWithValue: ["--index", "--timeout", "--holders", "--mode"]),
  ]

  /// - Parameter words: the command line without the program's name.
  static func marked(_ words: [String]) -> [String] {
    guard let form = form(of: words) else { return words }
    var place = form.name.count
    var ownWords = form.ownWords
    while place < words.count {
      let word = words[place]
      if word == "--" { return words }
      if form.optionsWithValue.contains(word) {
        place += 1
      } else if !word.hasPrefix("-") {
        if ownWords == 0 { return words[..<place] + ["--"] + words[place...] }
        ownWords -= 1
      }
      place += 1
    }
    return words
  }

  /// The part of a marked command line that the parser has to see: its time grows with the square of the number of words,
  /// and a command may have any number of them.
  static func shortened(_ words: [String]) -> [String] {
    if words.first == "cat" { return shortenedCat(words) }
    guard form(of: words) != nil, let end = words.firstIndex(of: "--") else { return words }
    return Array(words[...min(end + 1, words.count - 1)])
  }

  /// The command's words, byte for byte.
  static var command: [[UInt8]] {
    let words = marked(Array(CommandLine.arguments.dropFirst()))
    guard let end = words.firstIndex(of: "--") else { return [] }
    return Array(TypedWords.all.suffix(words.count - end - 1))
  }

  private static func form(of words: [String]) -> Form? { forms.first { words.starts(with: $0.name) } }

  /// Its sources are taken from what was typed.
  private static func shortenedCat(_ words: [String]) -> [String] {
    var kept = ["cat"]
    var isValue = false
    for word in words.dropFirst() {
      if word == "--", !isValue { break }
      let isOption = word.hasPrefix("-") && word != "-"
      if isOption || isValue { kept.append(word) }
      isValue = !isValue && word == "--file"
    }
    return kept
  }
}
