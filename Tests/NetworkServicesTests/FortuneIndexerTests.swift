import TestSupport
import Testing

@testable import NetworkServices

@Suite struct FortuneIndexerTests {
  private func entries(_ text: String, delimiter: UInt8 = UInt8(ascii: "%")) -> [String] {
    let bytes = Array(text.utf8)
    var found: [String] = []
    bytes.withUnsafeBytes { raw in
      FortuneIndexer(delimiter: delimiter).forEach(in: raw) { span in
        let part = bytes[span.start..<(span.start + span.length)]
        found.append(String(decoding: part, as: UTF8.self))
        var sent = part.count + (part.last == 10 ? 0 : 2)
        for (index, byte) in zip(part.indices, part) where byte == 10 {
          sent += index > 0 && bytes[index - 1] == 13 ? 0 : 1
        }
        #expect(span.sentLength == sent, "\(text)")
      }
    }
    return found
  }

  @Test(
    "finds what stands between lines that are exactly the delimiter",
    arguments: [
      ("", []), ("\n", []), ("%\n", []), ("%", []), ("%\n%\n%\n", []), (" \n\t\n%\n", []), ("%\n\n%\n", []),
      ("a", ["a"]), ("a\n", ["a\n"]), ("a\n%\n", ["a\n"]), ("a\n%", ["a\n"]), ("a\n%\nb", ["a\n", "b"]),
      ("a\n%\nb\n", ["a\n", "b\n"]), ("a\n%\n%\n%\nb\n%\n", ["a\n", "b\n"]), ("%\na\n", ["a\n"]),
      ("a\nb\n%\nc\n", ["a\nb\n", "c\n"]), ("a\n\n%\n", ["a\n\n"]),
      // No delimiters.
      ("a\n%\r\nb\n", ["a\n%\r\nb\n"]), ("a\n% \nb\n", ["a\n% \nb\n"]), ("a\n%%\nb\n", ["a\n%%\nb\n"]),
      ("a\n %\nb\n", ["a\n %\nb\n"]), ("a %\nb\n", ["a %\nb\n"]), ("100%\n", ["100%\n"]), ("%a\n", ["%a\n"]),
      ("a\r\nb\r\n%\nc\n", ["a\r\nb\r\n", "c\n"]), ("\0\n%\nb\n", ["b\n"]),
    ])
  func findsEntries(text: String, expected: [String]) { #expect(entries(text) == expected) }

  @Test("takes another delimiter")
  func takesAnotherDelimiter() {
    #expect(entries("a\n%\nb\n$\nc\n", delimiter: UInt8(ascii: "$")) == ["a\n%\nb\n", "c\n"])
  }

  @Test("finds what plain splitting finds, in any text")
  func agreesWithSplitting() {
    var random = SeededRandom(state: 2)
    let pieces = ["%\n", "%", "a", "\n", " ", "b%\n", "\r\n", "%\r\n", "text\n"]
    for _ in 0..<3000 {
      let text = (0..<Int.random(in: 0...14, using: &random)).map { _ in pieces.randomElement(using: &random)! }
        .joined()
      var expected: [String] = []
      var entry: [UInt8] = []
      for line in Array(text.utf8).split(separator: 10, omittingEmptySubsequences: false).enumeratedLines() {
        if line.bytes == [UInt8(ascii: "%")] {
          expected.append(String(decoding: entry, as: UTF8.self))
          entry = []
        } else {
          entry += line.bytes + (line.isLast ? [] : [10])
        }
      }
      expected.append(String(decoding: entry, as: UTF8.self))
      #expect(entries(text) == expected.filter { $0.utf8.contains { $0 > 32 } }, "\(text.debugDescription)")
    }
  }
}

extension [ArraySlice<UInt8>] {
  fileprivate func enumeratedLines() -> [(bytes: [UInt8], isLast: Bool)] {
    enumerated().map { index, line in ([UInt8](line), index == count - 1) }
  }
}
