import Testing

@testable import NetworkServices

@Suite struct EmbeddedFortunesTests {
  private var lines: [[UInt8]] {
    let text = EmbeddedFortunes.text
    return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
      .split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
  }

  @Test("are printable ASCII, at most 76 columns wide")
  func arePrintable() {
    for line in lines {
      #expect(
        line.allSatisfy { (0x20...0x7e).contains($0) } && line.count <= 76, "\(String(decoding: line, as: UTF8.self))")
      #expect(line.last != UInt8(ascii: " "))
    }
  }

  @Test("are at least a hundred, all different, each fit for a datagram")
  func areAHundred() throws {
    let loaded = try LoadedFortunes("/nonexistent/fortunes")
    #expect(loaded.collection.count >= 100)
    #expect(Set(loaded.texts).count == loaded.collection.count)
    #expect(loaded.texts.allSatisfy { $0.utf8.count <= 511 })
    #expect(lines.count { $0 == [UInt8(ascii: "%")] } == loaded.collection.count - 1)
  }

  @Test("end each in a whole line")
  func endInALine() throws {
    for text in try LoadedFortunes("/nonexistent/fortunes").texts { #expect(text.hasSuffix("\r\n"), "\(text)") }
  }
}
