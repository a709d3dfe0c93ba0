@_spi(Begat) import UnixCore

/// Sizes as people write them: `4096`, `512K`, `64M`, `2G`; a unit is a power of 1024, in capitals or not.
public enum SizeText {
  private static let units: [(suffix: String, shift: UInt64)] = [("", 0), ("K", 10), ("M", 20), ("G", 30), ("T", 40)]

  /// In bytes; nil for anything else, and above 2^62.
  public static func parse(_ text: String) -> UInt64? {
    let digits = text.prefix { ("0"..."9").contains($0) }
    guard let number = UInt64(decimal: digits),
      let unit = units.first(where: { $0.suffix == text[digits.endIndex...].uppercased() }),
      number <= (1 << 62) >> unit.shift
    else { return nil }
    return number << unit.shift
  }

  /// The shortest text that `parse` reads as the same size.
  public static func render(_ bytes: UInt64) -> String {
    let unit = units.last { bytes > 0 && bytes % (1 << $0.shift) == 0 } ?? units[0]
    return "\(bytes >> unit.shift)\(unit.suffix)"
  }
}
