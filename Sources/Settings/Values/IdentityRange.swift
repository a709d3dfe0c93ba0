@_spi(Begat) import UnixCore

/// The numbers among which services without a configured user get a user and a group of their own.
public struct IdentityRange: Hashable, Sendable, CustomStringConvertible {
  public let numbers: ClosedRange<UInt32>

  /// Outside the numbers that adduser(8), subuid(5) and systemd give out.
  public static let usual = IdentityRange(numbers: 65_536...99_999)

  private init(numbers: ClosedRange<UInt32>) { self.numbers = numbers }

  /// Reads `LOWEST-HIGHEST`.
  ///
  /// - Returns: nil for anything else, and for a range with a number in it that no service can have.
  public init?(parsing text: String) {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let lowest = UInt32(decimal: ends[0]), let highest = UInt32(decimal: ends[1]),
      lowest <= highest, !Self.unusable.contains(where: (lowest...highest).contains)
    else { return nil }
    numbers = lowest...highest
  }

  public var description: String { "\(numbers.lowerBound)-\(numbers.upperBound)" }

  /// Root, nobody, and the numbers that system calls take for "unchanged", in 16 and in 32 bits.
  private static let unusable: [UInt32] = [0, 65_534, 65_535, .max]

  /// Whether a service can have the number.
  package static func isUsable(_ number: UInt32) -> Bool { !unusable.contains(number) }
}

extension Syntax where Value == IdentityRange {
  static let identityRange = Syntax(
    "RANGE", "two numbers such as \"\(IdentityRange.usual)\", without 0, 65534, 65535 and 4294967295 between them",
    example: .string(IdentityRange.usual.description),
    parse: { raw in raw.text.flatMap(IdentityRange.init(parsing:)) },
    render: { .string($0.description) })
}
