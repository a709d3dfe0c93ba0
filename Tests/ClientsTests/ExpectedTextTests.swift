import Testing

@testable import Clients

@Suite struct ExpectedTextTests {
  private func finds(_ text: String, in parts: [String]) -> Bool {
    let expected = ExpectedText(Array(text.utf8))
    let matched = parts.reduce(0) { matched, part in
      Array(part.utf8).withUnsafeBytes { expected.search($0, after: matched) }
    }
    return expected.isFound(matched)
  }

  @Test("finds a text wherever it is cut", arguments: ["abab", "aab", "aaab", "b", "abaabab", "aabaaa", "ba"])
  func findsParts(text: String) {
    // All texts of up to nine letters of two kinds.
    for length in 0...9 {
      for number in 0..<(1 << length) {
        let letters = (0..<length).map { number >> $0 & 1 == 0 ? "a" : "b" }
        let whole = letters.joined()
        let isThere = whole.contains(text)
        #expect(finds(text, in: letters) == isThere && finds(text, in: [whole]) == isThere, "\(text) in \(whole)")
      }
    }
  }

  @Test("finds nothing everywhere")
  func findsNothing() { #expect(finds("", in: []) && finds("", in: ["x"])) }
}
