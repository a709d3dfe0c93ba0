import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite struct FortuneCollectionTests {
  private func collection(_ text: String) throws -> FortuneCollection {
    let directory = try TemporaryDirectory()
    try directory.write(text.utf8, to: "f")
    return try LoadedFortunes(directory["f"]).collection
  }

  /// Pearson's sum for equal chances.  With 9 degrees of freedom, more than 40 comes once in 100,000 runs.
  private func deviation(_ counts: [Int: Int], of kinds: Int, draws: Int) -> Double {
    let expected = Double(draws) / Double(kinds)
    return (0..<kinds).map { Double(counts[$0] ?? 0) - expected }.reduce(0) { $0 + $1 * $1 / expected }
  }

  @Test("chooses each as often as the others")
  func choosesUniformly() throws {
    // Lengths differ, so that each is known by its own.
    let collection = try collection((1...10).map { String(repeating: "x", count: $0) + "\n" }.joined(separator: "%\n"))
    #expect(collection.count == 10)
    var counts: [Int: Int] = [:]
    for _ in 0..<10_000 { counts[Int(collection.random().length) - 2, default: 0] += 1 }
    #expect(counts.count == 10 && deviation(counts, of: 10, draws: 10_000) < 40, "\(counts)")
  }

  @Test("chooses each of those that fit as often as the others, and no other")
  func choosesUniformlyAmongThoseThatFit() throws {
    let collection = try collection((1...20).map { String(repeating: "x", count: $0) + "\n" }.joined(separator: "%\n"))
    var counts: [Int: Int] = [:]
    // Ten characters and CRLF.
    for _ in 0..<10_000 { counts[Int(try #require(collection.random(atMost: 12)).length) - 2, default: 0] += 1 }
    #expect(counts.count == 10 && deviation(counts, of: 10, draws: 10_000) < 40, "\(counts)")
    #expect(collection.random(atMost: 2) == nil)
    #expect(collection.random(atMost: 3)?.sentLength == 3)
  }

  @Test("writes CRLF at every line's end, once")
  func writesNetworkLines() throws {
    let collection = try collection("a\nb\r\nc\n\nd")
    withUnsafeTemporaryAllocation(byteCount: 100, alignment: 1) { room in
      let length = collection.write(collection.random(), into: room)
      #expect(length.map { String(decoding: room[..<$0], as: UTF8.self) } == "a\r\nb\r\nc\r\n\r\nd\r\n")
      #expect(length == Int(collection.random().sentLength))
      let short = UnsafeMutableRawBufferPointer(rebasing: room[..<((length ?? 0) - 1)])
      #expect(collection.write(collection.random(), into: short) == nil)
    }
  }

  @Test("turns letters by thirteen and nothing else", arguments: UInt8.min...UInt8.max)
  func turnsLetters(byte: UInt8) {
    let plain = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    let turned = Array("NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm".utf8)
    #expect(rotated(byte) == (plain.firstIndex(of: byte).map { turned[$0] } ?? byte))
    #expect(rotated(rotated(byte)) == byte)
  }
}
