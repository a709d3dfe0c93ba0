import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite struct LineBufferTests {
  private func lines(_ text: String, limit: Int = 8) -> [LineBuffer.Line] {
    var buffer = LineBuffer(limit: limit)
    return text.utf8.compactMap { buffer.append($0) }
  }

  private func line(_ text: String) -> LineBuffer.Line { .complete(UntrustedBytes(text: text)) }

  @Test("ends lines with LF and drops one CR before it")
  func endsLines() {
    #expect(lines("a\nbc\r\n\n\r\n") == [line("a"), line("bc"), line(""), line("")])
    #expect(lines("a\r\r\n") == [line("a\r")])
    #expect(lines("a\rb\n") == [line("a\rb")])
    #expect(lines("unfinished") == [])
    #expect(lines("\0\u{1}\n") == [line("\0\u{1}")])
  }

  @Test("takes lines up to its limit, whichever end they have", arguments: [0, 1, 2, 8, 512], ["\n", "\r\n"])
  func takesLinesUpToTheLimit(limit: Int, end: String) {
    let longest = String(repeating: "x", count: limit)
    #expect(lines(longest + end, limit: limit) == [line(longest)])
    #expect(lines(longest + "x" + end, limit: limit) == [.tooLong])
    #expect(lines(longest + "xx" + end, limit: limit) == [.tooLong])
    #expect(lines(longest + "\r" + end, limit: limit) == [end == "\n" ? line(longest) : .tooLong])
  }

  @Test("takes the line after one that was too long whole")
  func recovers() {
    let long = String(repeating: "quit ", count: 1000)
    #expect(lines("\(long)\nquit\r\n\(long)\r\nhelp\n") == [.tooLong, line("quit"), .tooLong, line("help")])
  }

  @Test("erases bytes, but not of a line that is lost already")
  func erases() {
    var buffer = LineBuffer(limit: 3)
    #expect(buffer.isEmpty)
    buffer.eraseByte()
    for byte in "abc".utf8 { #expect(buffer.append(byte) == nil) }
    #expect(!buffer.isEmpty)
    buffer.eraseByte()
    #expect(buffer.append(UInt8(ascii: "\n")) == line("ab"))
    for byte in "abcdef".utf8 { _ = buffer.append(byte) }
    for _ in 0..<6 { buffer.eraseByte() }
    #expect(!buffer.isEmpty)
    #expect(buffer.append(UInt8(ascii: "\n")) == .tooLong)
    for byte in "abcdef".utf8 { _ = buffer.append(byte) }
    buffer.clear()
    #expect(buffer.isEmpty)
    #expect(buffer.append(UInt8(ascii: "\n")) == line(""))
  }

  @Test("gives what a plain splitting of the text gives")
  func agreesWithSplitting() {
    var random = SeededRandom(state: 4)
    let alphabet = Array("ab\r\n\n".utf8)
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      var buffer = LineBuffer(limit: 5)
      let found = text.compactMap { buffer.append($0) }
      let expected = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        .map { part -> LineBuffer.Line in
          let content = part.last == UInt8(ascii: "\r") ? part.dropLast() : part
          return content.count > 5 ? .tooLong : .complete(UntrustedBytes(content))
        }
      #expect(found == expected, "\(escaped(text))")
    }
  }
}
