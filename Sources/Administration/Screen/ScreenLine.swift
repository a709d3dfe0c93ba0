/// A line of a screen: texts of printable ASCII, each in one style.
struct ScreenLine: Hashable {
  enum Style: Hashable {
    case plain
    case bold
    case reversed
    case faint

    /// Source: ECMA-48 section 8.3.117, SGR.
    fileprivate var sequence: String {
      switch self {
      case .plain: ""
      case .bold: "\u{1b}[1m"
      case .reversed: "\u{1b}[7m"
      case .faint: "\u{1b}[2m"
      }
    }
  }

  private struct Span: Hashable {
    let text: String
    let style: Style
  }

  private var spans: [Span] = []

  init(_ text: String = "", _ style: Style = .plain) { add(text, style) }

  /// Adds a text, whatever it contains.
  mutating func add(_ text: String, _ style: Style = .plain) {
    if !text.isEmpty { spans.append(Span(text: printableCell(text), style: style)) }
  }

  var text: String { spans.reduce(into: "") { $0 += $1.text } }

  /// The line as a terminal takes it, cut to so many columns.
  func bytes(columns: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var room = columns
    for span in spans where room > 0 {
      let text = span.text.utf8.prefix(room)
      room -= text.count
      bytes += span.style.sequence.utf8
      bytes += text
      if span.style != .plain { bytes += "\u{1b}[0m".utf8 }
    }
    return bytes
  }
}
