import Admission
@_spi(Begat) import UnixCore

/// Times of denial as people write them: `10m`, `10m after 5`.
public enum DenyTimeText {
  static func parse(_ text: String) -> DenyTime? {
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard let first = words.first, let duration = DurationText.parse(String(first)), duration > .zero else {
      return nil
    }
    if words.count == 1 { return DenyTime(duration) }
    guard words.count == 3, words[1] == "after", let refusals = Int(decimal: words[2]),
      (1...DenyTime.maxRefusals).contains(refusals)
    else { return nil }
    return DenyTime(duration, after: refusals)
  }

  /// The text that `parse` reads as this time.
  public static func render(_ time: DenyTime) -> String {
    DurationText.render(time.duration) + (time.refusals.map { " after \($0)" } ?? "")
  }
}

extension Syntax where Value == DenyTime? {
  /// A duration above zero, with a number of refusals or without.
  static let denyTime = Syntax(
    "TIME", "a duration above 0 such as \"10m\", or with a number of refusals \"10m after 5\"",
    example: .string("10m after 5"),
    parse: { raw in
      // Not an expression: its nil would be the value nil, an unset time.
      guard let time = raw.text.flatMap(DenyTimeText.parse) else { return nil }
      return time
    },
    render: { $0.map { .string(DenyTimeText.render($0)) } },
    hint: { secondsHint($0) })
}
