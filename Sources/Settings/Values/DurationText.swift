/// Durations as people write them: `30s`, `10m`, `500ms`, `1h30m`, `2d`.
public enum DurationText {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// Reads numbers each followed by its unit, at most 10 years together; nil for anything else.
  public static func parse(_ text: String) -> Duration? {
    var rest = text[...]
    var total: Int64 = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { ("0"..."9").contains($0) }
      rest = rest[digits.endIndex...]
      let suffix = rest.prefix { ("a"..."z").contains($0) }
      rest = rest[suffix.endIndex...]
      guard let number = Int64(digits), let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
      guard !overflow, product <= 315_360_000_000 - total else { return nil }
      total += product
    }
    return .milliseconds(total)
  }

  /// The shortest text that `parse` reads as the same duration, to the millisecond.
  public static func render(_ duration: Duration) -> String {
    let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    guard milliseconds > 0 else { return "0s" }
    let unit = units.last { milliseconds % $0.milliseconds == 0 } ?? units[0]
    return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
  }
}
