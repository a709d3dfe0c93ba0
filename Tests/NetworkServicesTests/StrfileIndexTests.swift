import TestSupport
import Testing

@testable import NetworkServices

@Suite struct StrfileIndexTests {
  private static let text = "one\n%\ntwo\n%\nthree\n"

  private func index(_ bytes: [UInt8], textSize: Int = text.utf8.count) -> StrfileIndex? {
    bytes.withUnsafeBytes { StrfileIndex($0, textSize: textSize) }
  }

  @Test("is what strfile wrote")
  func isRead() throws {
    let found = try #require(index(IndexFile(of: Self.text).bytes))
    #expect(found.starts == [0, 6, 12] && found.delimiter == UInt8(ascii: "%") && !found.isRotated)
    var file = IndexFile(of: Self.text)
    file.version = 1
    file.flags = 4
    file.delimiter = UInt8(ascii: "$")
    let other = try #require(index(file.bytes))
    #expect(other.isRotated && other.delimiter == UInt8(ascii: "$"))
  }

  @Test("puts shuffled offsets in order, the end's among them left out")
  func putsOffsetsInOrder() throws {
    var file = IndexFile(of: Self.text)
    file.flags = 1
    file.offsets = [12, 18, 0, 6]
    #expect(try #require(index(file.bytes)).starts == [0, 6, 12])
    file.offsets = [12, .max, 0, 19]
    #expect(try #require(index(file.bytes)).starts == [0, 12])
  }

  @Test("is read as some 64-bit builds wrote it")
  func isReadWide() throws {
    let file = IndexFile(of: Self.text)
    func wide(_ number: UInt32) -> [UInt8] { [0, 0, 0, 0] + IndexFile.bigEndian(number) }
    let header =
      [file.version, file.count, 0, 0, 4].flatMap(wide) + [UInt8(ascii: "%")] + [UInt8](repeating: 0, count: 7)
    let found = try #require(index(header + file.offsets.flatMap(wide)))
    #expect(found.starts == [0, 6, 12] && found.isRotated && found.delimiter == UInt8(ascii: "%"))
  }

  @Test("is nothing when it is damaged")
  func isNothing() {
    let good = IndexFile(of: Self.text)
    for length in 0..<good.bytes.count { #expect(index(Array(good.bytes.prefix(length))) == nil, "\(length) bytes") }
    func damaged(_ change: (inout IndexFile) -> Void) -> StrfileIndex? {
      var file = good
      change(&file)
      return index(file.bytes)
    }
    for count: UInt32 in [0, 4, 1000, .max, .max - 1, 1 << 30] {
      #expect(damaged { $0.count = count } == nil, "\(count)")
    }
    for version: UInt32 in [0, 3, .max, 2 << 24] { #expect(damaged { $0.version = version } == nil, "\(version)") }
    for flags: UInt32 in [8, .max] { #expect(damaged { $0.flags = flags } == nil, "\(flags)") }
    // The other way round, as a machine writes it that does not care.
    let swapped = stride(from: 0, to: good.bytes.count, by: 4).flatMap { good.bytes[$0..<($0 + 4)].reversed() }
    #expect(index(swapped) == nil)
  }

  @Test("survives any bytes, and never names an offset outside the text")
  func survives() {
    var random = SeededRandom(state: 3)
    let good = IndexFile(of: Self.text).bytes
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let size = Int.random(in: 0...30, using: &random)
      let found = index(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))), textSize: size)
      #expect(found?.starts.allSatisfy { $0 < UInt64(size) } != false)
    }
  }
}
