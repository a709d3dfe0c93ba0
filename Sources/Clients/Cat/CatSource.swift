@_spi(Begat) import UnixCore

/// One thing of which `begat cat` copies the contents: Perl's magic open, of which only what is typed can make a command.
public enum CatSource: Hashable, Sendable {
  case file(UnixPath)
  case standardInput
  /// The output of a program; the words as typed, for messages.
  case command(String)

  /// The sources in the order in which they were typed, where the parser of options has lost it.
  ///
  /// - Parameter words: the command line after `cat`, byte for byte, which the parser has found right.
  public static func inOrder(_ words: [[UInt8]], runningCommands runsCommands: Bool) -> [CatSource] {
    var sources: [CatSource] = []
    var hasOptions = true
    var rest = words.makeIterator()
    let option = Array("--file=".utf8)
    while let word = rest.next() {
      if hasOptions, word == Array("--".utf8) {
        hasOptions = false
      } else if hasOptions, word == option.dropLast() {
        if let name = rest.next() { sources.append(.file(UnixPath(bytes: name))) }
      } else if hasOptions, word.starts(with: option) {
        sources.append(.file(UnixPath(bytes: word.dropFirst(option.count))))
      } else if hasOptions, word == Array("--no-commands".utf8) {
        continue
      } else if word == Array("-".utf8) {
        sources.append(.standardInput)
      } else if runsCommands, word.last == UInt8(ascii: "|") {
        sources.append(.command(String(decoding: word.dropLast(), as: UTF8.self)))
      } else {
        sources.append(.file(UnixPath(bytes: word)))
      }
    }
    return sources.isEmpty ? [.standardInput] : sources
  }
}
