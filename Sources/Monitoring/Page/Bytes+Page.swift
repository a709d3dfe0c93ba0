/// Texts and numbers of a page.
extension [UInt8] {
  /// A text from elsewhere, as it may stand between tags and in an attribute.
  mutating func append(text: String) {
    append(text) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      case "'": "&#39;"
      default: nil
      }
    }
  }

  /// A number with a comma before every third digit.
  mutating func append(grouped number: UInt64) {
    let digits = String(number).utf8
    var left = digits.count
    for digit in digits {
      append(digit)
      left -= 1
      if left > 0, left % 3 == 0 { append(UInt8(ascii: ",")) }
    }
  }

  /// A number as `append(grouped:)` writes it; a zero is less conspicuous.
  mutating func append(count: UInt64) {
    guard count == 0 else { return append(grouped: count) }
    append("<span class=\"zero\">0</span>")
  }

  /// A number and its word: `1 service`, `2 services`.
  mutating func append(_ number: UInt64, _ word: StaticString) {
    append(grouped: number)
    append(" ")
    append(word)
    if number != 1 { append("s") }
  }

  /// A duration in its largest unit.
  mutating func append(age: Duration) {
    let seconds = UInt64(Swift.max(0, age.components.seconds))
    switch seconds {
    case ..<100: append(grouped: seconds, unit: "s")
    case ..<6000: append(grouped: seconds / 60, unit: "min")
    case ..<172_800: append(grouped: seconds / 3600, unit: "h")
    default: append(grouped: seconds / 86_400, unit: "days")
    }
  }

  private mutating func append(grouped number: UInt64, unit: StaticString) {
    append(grouped: number)
    append("\u{A0}")
    append(unit)
  }

  /// A rate per second with one decimal below 10.
  mutating func append(rate: Double) {
    let rate = rate.isFinite ? Swift.min(Swift.max(0, rate), 1e9) : 0
    let tenths = UInt64((rate * 10).rounded())
    if tenths == 0, rate > 0 {
      append("&lt;\u{A0}0.1")
    } else if tenths == 0 || tenths >= 100 {
      append(grouped: UInt64(rate.rounded()))
    } else {
      append(decimal: tenths / 10)
      append(".")
      append(decimal: tenths % 10)
    }
  }

  /// A number of bytes; a dash for one that is not known.
  mutating func append(size: UInt64?) {
    guard let size else { return append("–") }
    guard size >= 1000 else { return append(grouped: size, unit: "B") }
    let units: [(UInt64, StaticString)] = [
      (1_000_000_000_000_000, "PB"), (1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB"),
    ]
    for (unit, name) in units where size >= unit {
      append(decimal: size / unit)
      // Cut, not rounded: 999.95 kB are not 1000.0 kB.
      if size / unit < 10 {
        append(".")
        append(decimal: size % unit / (unit / 10))
      }
      append("\u{A0}")
      return append(name)
    }
  }
}
