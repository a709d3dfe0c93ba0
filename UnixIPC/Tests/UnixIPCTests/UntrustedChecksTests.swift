import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct UntrustedChecksTests {
  typealias Reason = UntrustedBytes.CheckError.Reason

  private func untrusted(_ text: String) -> UntrustedBytes { UntrustedBytes(text: text) }

  private func reason<Value>(_ body: () throws(UntrustedBytes.CheckError) -> Value) -> Reason? {
    failure(of: body)?.reason
  }

  @Test(
    "take a number in digits",
    arguments: [("1", 1), ("65535", 65535), ("007", 7), ("00000000000000000000000000000000000000080", 80)])
  func takeNumbers(text: String, number: Int) throws { #expect(try untrusted(text).number(in: 1...65535) == number) }

  @Test(
    "refuse what is no number, where perl's untainting took the digits out of it",
    arguments: [
      ("", .empty), ("x23y", .notDigits), ("+5", .notDigits), ("-1", .notDigits), (" 5", .notDigits),
      ("5 ", .notDigits), ("5\n", .notDigits), ("5\0", .notDigits), ("1e3", .notDigits), ("0x10", .notDigits),
      ("1_000", .notDigits), ("1.0", .notDigits), ("٣", .notDigits), ("３", .notDigits), ("²", .notDigits),
      ("0", .outside(lowest: "1", highest: "65535")), ("65536", .outside(lowest: "1", highest: "65535")),
      ("18446744073709551617", .outside(lowest: "1", highest: "65535")),
      (String(repeating: "9", count: 100_000), .outside(lowest: "1", highest: "65535")),
    ] as [(String, Reason)])
  func refuseOtherNumbers(text: String, expected: Reason) {
    let bytes = untrusted(text)
    #expect(reason { () throws(UntrustedBytes.CheckError) in try bytes.number(in: 1...65535) } == expected)
  }

  @Test("take numbers to the bounds of every width")
  func takeBounds() throws {
    #expect(try untrusted("255").number(in: UInt8.min...UInt8.max) == 255)
    #expect(throws: UntrustedBytes.CheckError.self) { try untrusted("256").number(in: UInt8.min...UInt8.max) }
    #expect(try untrusted("127").number(in: Int8.min...Int8.max) == 127)
    #expect(throws: UntrustedBytes.CheckError.self) { try untrusted("128").number(in: Int8.min...Int8.max) }
    #expect(try untrusted("18446744073709551615").number(in: 0...UInt64.max) == .max)
    #expect(throws: UntrustedBytes.CheckError.self) { try untrusted("18446744073709551616").number(in: 0...UInt64.max) }
  }

  /// What is UTF-8, and what only looks like it (RFC 3629).
  @Test(
    "know UTF-8 from what only looks like it",
    arguments: [
      ([], true), ([0x41], true), ([0xc3, 0xa9], true), ([0xe2, 0x82, 0xac], true), ([0xf0, 0x9f, 0x90, 0xab], true),
      ([0xf4, 0x8f, 0xbf, 0xbf], true), ([0xed, 0x9f, 0xbf], true), ([0xee, 0x80, 0x80], true),
      // Truncated, and a continuation alone.
      ([0xc3], false), ([0xe2, 0x82], false), ([0xf0, 0x9f, 0x90], false), ([0x80], false), ([0xbf, 0x41], false),
      ([0xc3, 0x41], false), ([0xe2, 0x41, 0x42], false),
      // Overlong: a slash, a NUL and a dot in more bytes than they need.
      ([0xc0, 0xaf], false), ([0xc0, 0x80], false), ([0xe0, 0x80, 0xae], false), ([0xf0, 0x80, 0x80, 0xaf], false),
      // Surrogates, beyond the last scalar, and bytes of no sequence.
      ([0xed, 0xa0, 0x80], false), ([0xed, 0xbf, 0xbf], false), ([0xf4, 0x90, 0x80, 0x80], false),
      ([0xf5, 0x80, 0x80, 0x80], false), ([0xfe], false), ([0xff], false), ([0xf8, 0x88, 0x80, 0x80, 0x80], false),
    ] as [([UInt8], Bool)])
  func knowUTF8(bytes: [UInt8], isValid: Bool) {
    let whole = UntrustedBytes(bytes)
    let named = UntrustedBytes(Array("x".utf8) + bytes)
    #expect(((try? whole.text()) != nil) == isValid)
    #expect(((try? whole.argument()) != nil) == isValid)
    #expect(((try? named.fileName()) != nil) == isValid)
    if isValid { #expect((try? named.text())?.utf8.elementsEqual(Array("x".utf8) + bytes) == true) }
  }

  @Test("take a text without control characters, each byte of ASCII", arguments: UInt8.min...127)
  func takeTexts(byte: UInt8) {
    let bytes = UntrustedBytes([UInt8(ascii: "a"), byte])
    let isControl = byte < 0x20 || byte == 0x7f
    #expect(
      reason { () throws(UntrustedBytes.CheckError) in try bytes.text() } == (isControl ? .controlCharacter : nil))
  }

  @Test(
    "refuse what breaks a line or turns the direction of writing",
    arguments: ["\u{85}", "\u{9b}", "\u{2028}", "\u{2029}", "\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}"])
  func refuseOtherControls(character: String) {
    let bytes = untrusted("a\(character)b")
    #expect(reason { () throws(UntrustedBytes.CheckError) in try bytes.text() } == .controlCharacter)
    #expect(reason { () throws(UntrustedBytes.CheckError) in try bytes.fileName() } == .controlCharacter)
  }

  @Test(
    "take an argument that is no option",
    arguments: [
      ("", nil), ("a b", nil), ("é\n", nil), ("a-b", nil), ("$(id)", nil), ("-", .beginsWithHyphen),
      ("-rf", .beginsWithHyphen), ("--", .beginsWithHyphen), ("a\0b", .containsNUL),
    ] as [(String, Reason?)])
  func takeArguments(text: String, expected: Reason?) {
    let bytes = untrusted(text)
    #expect(reason { () throws(UntrustedBytes.CheckError) in try bytes.argument() } == expected)
    if expected == nil { #expect((try? bytes.argument()) == text) }
  }

  @Test(
    "take a word of allowed characters, whole",
    arguments: [
      ("host-1.example_x", nil), ("..", nil), ("", .empty), ("a b", .otherCharacters), ("a\n", .otherCharacters),
      ("a;id", .otherCharacters), ("é", .otherCharacters), ("a\0", .otherCharacters), ("-a", .beginsWithHyphen),
      (String(repeating: "a", count: 20), nil), (String(repeating: "a", count: 21), .tooLong(limit: 20)),
    ] as [(String, Reason?)])
  func takeWords(text: String, expected: Reason?) {
    let bytes = untrusted(text)
    let word = { () throws(UntrustedBytes.CheckError) in try bytes.word(of: .wordCharacters.union(".-"), upTo: 20) }
    #expect(reason(word) == expected)
    if expected == nil { #expect((try? word()) == text) }
  }

  @Test("know the characters of a set, each byte", arguments: UInt8.min...UInt8.max)
  func knowSets(byte: UInt8) {
    let scalar = Unicode.Scalar(byte)
    let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
    let isDigit = (0x30...0x39).contains(byte)
    #expect(ASCIISet.letters.contains(byte) == isLetter && ASCIISet.digits.contains(byte) == isDigit)
    #expect(ASCIISet.wordCharacters.contains(byte) == (isLetter || isDigit || byte == UInt8(ascii: "_")))
    #expect(!ASCIISet("").contains(byte))
  }

  @Test("take what one's own rule accepts")
  func takeByRule() throws {
    #expect(try UntrustedBytes([1, 2]).checked { $0.elementsEqual([1, 2]) } == [1, 2])
    let found = reason { () throws(UntrustedBytes.CheckError) in try UntrustedBytes([1]).checked { _ in false } }
    #expect(found == .refusedByRule)
  }

  @Test("say what is wrong in one safe line, cut")
  func refuseInALine() {
    func line(_ text: String) -> String? {
      let bytes = untrusted(text)
      return failure { () throws(UntrustedBytes.CheckError) in try bytes.number(in: 1...9) }?.description
    }
    #expect(line("x23y\n\u{1b}[2J") == "\"x23y\\x0a\\x1b[2J\": not a number in digits")
    #expect(line("10") == "\"10\": not from 1 to 9" && line("") == "\"\": empty")
    #expect(
      line(String(repeating: "\n", count: 1000))
        == "\"\(String(repeating: "\\x0a", count: 80))...\": not a number in digits")
  }

  @Test("judge a peer's bytes as perl's own rules do")
  func judgeAsPerlDoes() throws { try ProbeProgram.check("untrusted-peer") }

  @Test("refuse what perl's untainting takes")
  func refuseWhatPerlTakes() throws { try ProbeProgram.check("untrusted-tainted") }

  @Test("never give what their rules forbid, for 10,000 strings")
  func neverGiveWhatIsForbidden() {
    var random = SeededRandom(state: 23)
    let pieces: [[UInt8]] =
      ["/", "..", ".", "-", "a", "Z", "5", "\0", "\n", "\u{1b}", " ", "é", "\u{202e}", "//", "_", "00"].map {
        Array($0.utf8)
      }
      + [[0xc0, 0xaf], [0xff], [0xed, 0xa0, 0x80], [0xe2, 0x82]]
    var taken: [String: Int] = [:]
    for _ in 0..<10_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...5, using: &random) {
        bytes +=
          Int.random(in: 0..<8, using: &random) == 0
          ? [UInt8.random(in: 0...255, using: &random)] : pieces.randomElement(using: &random)!
      }
      for (check, text) in Self.results(UntrustedBytes(bytes)) {
        taken[check, default: 0] += 1
        #expect(text.utf8.elementsEqual(bytes) || check == "number" || check == "path", "\(check): \(escaped(bytes))")
        #expect(Self.isAllowed(text, by: check), "\(check): \(escaped(bytes))")
      }
    }
    // Each has taken some: else the rules would not have been tried.
    for check in ["number", "fileName", "relativePath", "path", "argument", "word", "text"] {
      #expect(taken[check, default: 0] > 50, "\(check): \(taken[check, default: 0])")
    }
  }

  private static func results(_ bytes: UntrustedBytes) -> [(String, String)] {
    let results: [(String, String?)] = [
      ("number", (try? bytes.number(in: 5...5555)).map { String($0) }), ("fileName", try? bytes.fileName()),
      ("relativePath", try? bytes.relativePath()), ("path", try? bytes.path(below: "/srv")),
      ("argument", try? bytes.argument()), ("word", try? bytes.word(of: .wordCharacters.union("./-"))),
      ("text", try? bytes.text()),
    ]
    return results.compactMap { name, text in text.map { (name, $0) } }
  }

  /// The rules once more, in other words than the checks'.
  private static func isAllowed(_ text: String, by check: String) -> Bool {
    let bytes = Array(text.utf8)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = !bytes.contains { $0 < 32 || $0 == 127 } && !text.unicodeScalars.contains("\u{202e}")
    let areNames = isPlain && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasPrefix("-") }
    switch check {
    case "number": return Int(text).map { (5...5555).contains($0) } ?? false
    case "fileName": return areNames && parts.count == 1
    case "relativePath": return areNames
    case "path":
      return text.hasPrefix("/srv/") && isPlain && !text.contains("//") && !text.hasSuffix("/")
        && !text.contains("/.") && !text.contains("/-")
    case "argument": return !bytes.contains(0) && bytes.first != 0x2d
    case "word": return bytes.allSatisfy { $0 > 32 && $0 < 127 } && !bytes.isEmpty && bytes.first != 0x2d
    default: return isPlain
    }
  }
}
