@_spi(Begat) import UnixCore

/// One thing of which `begat cat` copies the contents: Perl's magic open, of which only what is typed can make a command.
public enum CatSource: Hashable, Sendable {
  case file(String)
  case standardInput
  /// The output of a program; the words as typed, for messages.
  case command(String)

  /// The sources in the order in which they were typed, where the parser of options has lost it.
  ///
  /// - Parameter words: the command line after `cat`, which the parser has found right.
  public static func inOrder(_ words: [String], runningCommands runsCommands: Bool) -> [CatSource] {
    var sources: [CatSource] = []
    var hasOptions = true
    var rest = words.makeIterator()
    while let word = rest.next() {
      if hasOptions, word == "--" {
        hasOptions = false
      } else if hasOptions, word == "--file" {
        if let name = rest.next() { sources.append(.file(name)) }
      } else if hasOptions, word.hasPrefix("--file=") {
        sources.append(.file(String(word.dropFirst("--file=".count))))
      } else if hasOptions, word == "--no-commands" {
        continue
      } else if word == "-" {
        sources.append(.standardInput)
      } else if runsCommands, word.hasSuffix("|") {
        sources.append(.command(String(word.dropLast())))
      } else {
        sources.append(.file(word))
      }
    }
    return sources.isEmpty ? [.standardInput] : sources
  }
}
