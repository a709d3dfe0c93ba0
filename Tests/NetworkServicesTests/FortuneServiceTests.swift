import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct FortuneServiceTests {
  private func service(_ text: String, index: ((inout IndexFile) -> Void)? = nil) throws -> FortuneService {
    let directory = try TemporaryDirectory()
    try directory.write(text.utf8, to: "f")
    if let index {
      var file = IndexFile(of: text)
      index(&file)
      try directory.write(file.bytes, to: "f.dat")
    }
    return FortuneService(fortunes: try LoadedFortunes(directory["f"]).collection)
  }

  @Test("sends a fortune with CRLF at its lines' ends, and ends")
  func sendsAFortune() throws {
    let client = try ServedClient(service("a\nb\n"))
    #expect(try client.receiveText() == "a\r\nb\r\n")
  }

  @Test("sends CRLF once where the text has it, rotated or not", arguments: [0, 4] as [UInt32])
  func sendsCRLFOnce(flags: UInt32) throws {
    let client = try ServedClient(service("N\r\nO\n") { $0.flags = flags })
    #expect(try client.receiveText() == (flags == 0 ? "N\r\nO\r\n" : "A\r\nB\r\n"))
  }

  @Test("ends the last line too, where the text does not")
  func endsTheLastLine() throws {
    let service = try service("one")
    #expect(try ServedClient(service).receiveText() == "one\r\n")
    #expect(answer(of: service) == Array("one\r\n".utf8))
  }

  @Test("sends a long fortune whole")
  func sendsALongFortune() throws {
    let long = String(repeating: "0123456789\n", count: 10_000)
    let client = try ServedClient(service(long))
    #expect(try client.receiveText() == long.split(separator: "\n").map { $0 + "\r\n" }.joined())
  }

  @Test("answers a datagram with at most 511 bytes, never with a part")
  func answersDatagrams() throws {
    // 509 characters and CRLF are the most.
    let (fits, doesNot) = (String(repeating: "f", count: 509), String(repeating: "d", count: 510))
    let service = try service("\(doesNot)\n%\n\(fits)\n")
    for _ in 0..<100 { #expect(answer(of: service) == Array("\(fits)\r\n".utf8)) }
    #expect(try answer(of: self.service("\(doesNot)\n")) == nil)
  }
}
