import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct UntrustedBytesTests {
  private func untrusted(_ text: String) -> UntrustedBytes { UntrustedBytes(text: text) }

  @Test("are the same bytes, whatever they were made from and cut out of")
  func areTheSameBytes() {
    let bytes = Array("xquit".utf8)
    let forms = [
      UntrustedBytes(Array("quit".utf8)), UntrustedBytes(bytes[1...]), untrusted("quit"),
      bytes.withUnsafeBytes { UntrustedBytes(UnsafeRawBufferPointer(rebasing: $0[1...])) },
    ]
    #expect(Set(forms).count == 1)
    #expect(forms[1].count == 4 && !forms[1].isEmpty && UntrustedBytes([]).isEmpty)
  }

  @Test("know a word, to the last byte")
  func knowAWord() {
    #expect(untrusted("quit").isWord("quit") && !untrusted("QUIT").isWord("quit"))
    for other in ["qui", "quitx", "", "quit\0", "xquit"] { #expect(!untrusted(other).isWord("quit")) }
    #expect(untrusted("QuIt").isWord("qUiT", ignoringCase: true))
    #expect(untrusted("").isWord("") && !untrusted("a").isWord(""))
  }

  @Test("ignore the case of ASCII's letters and of no other byte", arguments: UInt8.min...UInt8.max)
  func ignoreCase(byte: UInt8) {
    let letter = Unicode.Scalar(byte)
    let lower = letter.isASCII ? letter.properties.lowercaseMapping : ""
    for word in ["a", "z", "@", "[", "`", "{", "m", "\0"] {
      #expect(UntrustedBytes([byte]).isWord(word, ignoringCase: true) == (lower == word), "\(byte) \(word)")
    }
  }

  @Test("tell their beginning and what follows it")
  func tellTheirBeginning() {
    let line = untrusted("GET /index")
    #expect(line.hasPrefix("GET ") && line.hasPrefix("") && line.hasPrefix("get ", ignoringCase: true))
    #expect(!line.hasPrefix("get ") && !line.hasPrefix("GET /index "))
    #expect(line.dropping(prefix: "GET ") == untrusted("/index"))
    #expect(line.dropping(prefix: "PUT ") == nil && line.dropping(prefix: "GET /index") == untrusted(""))
    #expect(line.dropping(prefix: "get ", ignoringCase: true)?.dropping(prefix: "/") == untrusted("index"))
    #expect(line.prefix(3) == untrusted("GET") && line.prefix(-1).isEmpty && line.prefix(.max) == line)
  }

  @Test(
    "are cut into words and trimmed at blanks",
    arguments: [
      ("", [], ""), (" \t\r\n\0", [], ""), ("a", ["a"], "a"), (" a\tbc \u{1}d\r", ["a", "bc", "d"], "a\tbc \u{1}d"),
      ("a\u{a0}b", ["a\u{a0}b"], "a\u{a0}b"),
    ])
  func areCutIntoWords(line: String, words: [String], trimmed: String) {
    #expect(untrusted(line).words == words.map(untrusted))
    #expect(untrusted(line).firstWord == words.first.map(untrusted))
    #expect(untrusted(line).trimmed == untrusted(trimmed))
    #expect(untrusted("x" + line).dropping(prefix: "x")?.trimmed == untrusted(trimmed))
  }

  @Test("are cut into fields, empty ones too")
  func areCutIntoFields() {
    func fields(_ text: String, atMost most: Int = .max) -> [UntrustedBytes] {
      untrusted(text).fields(separatedBy: ":;", atMost: most)
    }
    #expect(fields("a:b;c") == ["a", "b", "c"].map(untrusted))
    #expect(fields("::") == ["", "", ""].map(untrusted) && fields("") == [untrusted("")])
    #expect(fields("a:b:c", atMost: 2) == ["a", "b:c"].map(untrusted))
    for most in [1, 0, -1, Int.min] { #expect(fields("a:b", atMost: most) == [untrusted("a:b")]) }
  }

  @Test("are escaped for a log, each byte", arguments: UInt8.min...UInt8.max)
  func areEscaped(byte: UInt8) {
    let found = UntrustedBytes([byte]).escaped
    #expect(found == escaped([byte]) && found.utf8.allSatisfy { (0x20...0x7e).contains($0) })
    #expect(UntrustedBytes([byte]).escaped(doublingBackslashes: false) == escaped([byte], doublingBackslashes: false))
  }

  @Test("show nothing raw to what shows any value")
  func showNothingRaw() {
    let hostile = untrusted("\u{1b}[2J\n\u{7f}é")
    var printed = ""
    print(hostile, [hostile], hostile as Any, Optional(hostile) as Any, to: &printed)
    debugPrint(hostile, ["key": hostile], to: &printed)
    dump((hostile, [hostile]), to: &printed)
    printed += String(reflecting: LineBuffer.Line.complete(hostile))
    #expect(printed.contains("\\x1b[2J\\x0a\\x7f\\xc3\\xa9"))
    // A triangle is dump's own.
    let isPlain = printed.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "▿" || (0x20...0x7e).contains($0.value) }
    #expect(isPlain, "\(escaped(printed.utf8))")
    #expect(Mirror(reflecting: hostile).children.isEmpty)
  }

  @Test("are lent as they are, and an error comes through")
  func areLent() throws {
    let bytes = [UInt8](UInt8.min...UInt8.max)
    #expect(UntrustedBytes(bytes[10...]).withUncheckedBytes { Array($0) } == Array(bytes[10...]))
    let found = failure { () throws(SystemCallError) -> Void in
      try UntrustedBytes(bytes).withUncheckedBytes { (_) throws(SystemCallError) in
        throw SystemCallError("write", code: .brokenPipe)
      }
    }
    #expect(found?.code == .brokenPipe)
  }
}
