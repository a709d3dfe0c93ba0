/// Breaks text into lines between words.
enum TextWrap {
  /// Lines of at most `width` characters, longer words alone on a line; two spaces after a sentence are kept.
  static func lines(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: true) {
      let separator = line.isEmpty ? "" : line.hasSuffix(".") ? "  " : " "
      if !line.isEmpty, line.count + separator.count + word.count > width {
        lines.append(line)
        line = String(word)
      } else {
        line += separator + word
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
