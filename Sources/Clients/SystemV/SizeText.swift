/// Numbers of bytes as users write them: `2000`, `4K`, `16M`, `1G`.
public enum SizeText {
  private static let units: [Character: Int] = [
    "K": 1 << 10, "k": 1 << 10, "M": 1 << 20, "m": 1 << 20, "G": 1 << 30, "g": 1 << 30,
  ]

  /// Reads a number with or without a unit, which is a power of 1024; nil for anything else and for what is too great.
  public static func parse(_ text: String) -> Int? {
    var digits = text[...]
    var factor = 1
    if let last = text.last, let unit = units[last] {
      digits.removeLast()
      factor = unit
    }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int(digits)
    else { return nil }
    let (size, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : size
  }
}
