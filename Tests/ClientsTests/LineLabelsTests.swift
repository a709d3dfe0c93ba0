import Testing
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

@testable import Clients

@Suite struct LineLabelsTests {
  private func add(_ labels: inout LineLabels, _ text: String, _ stream: Conversation.Stream) -> String {
    String(decoding: Array(text.utf8).withUnsafeBytes { labels.add($0, from: stream) }, as: UTF8.self)
  }

  @Test("stand before whole lines")
  func standBeforeLines() {
    var labels = LineLabels(isPrintable: false)
    #expect(add(&labels, "a\nb", .output) == "out: a\n")
    #expect(add(&labels, "\n\nx", .errors) == "err: \nerr: \n")
    #expect(add(&labels, "c\n", .output) == "out: bc\n")
    #expect(String(decoding: labels.takeRest(), as: UTF8.self) == "err: x\n")
    #expect(labels.takeRest().isEmpty)
  }

  @Test("stand before the pieces of an endless line")
  func cutEndlessLines() {
    var labels = LineLabels(isPrintable: false)
    let part = String(repeating: "x", count: 700_000)
    #expect(add(&labels, part, .output) == "")
    let piece = add(&labels, part, .output)
    #expect(piece.utf8.count == 1_400_000 + 6 && piece.hasPrefix("out: x"))
    #expect(labels.takeRest().isEmpty)
  }

  @Test("are printable on a terminal")
  func arePrintable() {
    var labels = LineLabels(isPrintable: true)
    #expect(add(&labels, "\u{1b}[2J\\\r\n", .output) == "out: \\x1b[2J\\\\x0d\n")
  }
}
