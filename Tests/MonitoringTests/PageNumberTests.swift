import Testing

@testable import Monitoring

/// Numbers of a page.
@Suite(.timeLimit(.minutes(30))) struct PageNumberTests {
  private static func text(_ append: (inout [UInt8]) -> Void) -> String {
    var bytes: [UInt8] = []
    append(&bytes)
    return String(decoding: bytes, as: UTF8.self).replacing("\u{A0}", with: " ")
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (UInt64.max, "18,446,744,073,709,551,615"),
  ])
  func areGrouped(number: UInt64, text: String) { #expect(Self.text { $0.append(grouped: number) } == text) }

  @Test(arguments: [
    (0, "0 s"), (-5, "0 s"), (99, "99 s"), (100, "1 min"), (5999, "99 min"), (6000, "1 h"), (172_799, "47 h"),
    (172_800, "2 days"),
  ])
  func agesHaveOneUnit(seconds: Int, text: String) { #expect(Self.text { $0.append(age: .seconds(seconds)) } == text) }

  @Test(arguments: [
    (0, "0"), (0.04, "&lt; 0.1"), (0.05, "0.1"), (3.14, "3.1"), (9.96, "10"), (1234.5, "1,235"), (.nan, "0"),
    (-1, "0"), (1e300, "1,000,000,000"),
  ])
  func ratesHaveADecimalBelowTen(rate: Double, text: String) { #expect(Self.text { $0.append(rate: rate) } == text) }

  @Test(arguments: [
    (nil, "–"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9999, "9.9 kB"), (10_000, "10 kB"),
    (999_999, "999 kB"), (1_500_000, "1.5 MB"), (UInt64.max, "18446 PB"),
  ])
  func sizesHaveAPrefix(size: UInt64?, text: String) { #expect(Self.text { $0.append(size: size) } == text) }
}
