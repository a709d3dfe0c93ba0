import JSON
import Testing
@_spi(Begat) import UnixCore

/// The writer, whose lines other programs read.
@Suite struct JSONWriterTests {
  @Test(
    "writes values on one line",
    arguments: [
      (.null, "null"), (.boolean(true), "true"), (.boolean(false), "false"), (.integer(.min), "-9223372036854775808"),
      (.number(0.5), "0.5"), (.number(1e300), "1e+300"), (.number(.infinity), "null"), (.number(.nan), "null"),
      (.array([]), "[]"), (.array([.integer(1), .array([.null])]), "[1,[null]]"), (.object([]), "{}"),
      (["b": .integer(1), "a": ["c": .string("d")]], "{\"b\":1,\"a\":{\"c\":\"d\"}}"),
      (.count(UInt64.max), "9223372036854775807"), (.optional(nil as Int?) { .count($0) }, "null"),
    ] as [(JSONValue, String)])
  func writesValues(value: JSONValue, text: String) { #expect(value.text == text) }

  @Test("writes printable ASCII alone, whatever a text contains")
  func writesPrintableASCII() {
    let value: JSONValue = ["\u{1b}[2J\"\\": .string("a\u{0}\nü😀\u{7f}")]
    #expect(value.text == #"{"\u001b[2J\"\\":"a\u0000\u000a\u00fc\ud83d\ude00\u007f"}"#)
  }

  @Test(
    "quotes a text in memory of the caller's the same way",
    arguments: [
      "", "plain", "a \"word\" \\", "\u{0}\u{1b}\r\n\t\u{7f}", "ü\u{2028}😀",
      String(decoding: [0xff, 0x61, 0xc2], as: UTF8.self),
    ])
  func quotesInMemory(text: String) {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
      var writer = ByteWriter(room)
      JSONWriter.write(quoting: text, to: &writer)
      #expect(String(decoding: writer.bytes, as: UTF8.self) == JSONValue.string(text).text && !writer.isTruncated)
      #expect(writer.bytes.allSatisfy { (0x20...0x7e).contains($0) })
      #expect((try? JSONReader.read(Array(writer.bytes))) == .string(text))
    }
  }

  @Test("takes back what it wrote last")
  func takesBack() {
    var writer = JSONWriter()
    writer.append([JSONValue.Member("a", .integer(1))])
    let before = writer.bytes.count
    writer.append(.string("more"))
    writer.removeAll(from: before)
    #expect(writer.bytes == Array("\"a\":1".utf8))
  }
}
