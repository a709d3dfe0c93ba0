import Testing

@testable import Clients

@Suite struct SentSecretsTests {
  private func blotted(_ text: String, isCut: Bool = false, _ secrets: SentSecrets) -> String {
    String(decoding: secrets.blotted(Array(text.utf8), isCut: isCut), as: UTF8.self)
  }

  @Test func valuesAreHidden() {
    var secrets = SentSecrets()
    secrets.add(value: Array("ab".utf8))
    secrets.add(value: Array("abc\ndef".utf8))
    #expect(blotted("x ab abc\r\ndef y", secrets) == "x [sent] [sent]\r\n[sent] y")
    #expect(blotted("", secrets) == "" && blotted("a", secrets) == "a")
  }

  @Test func whatIsCutIsHiddenToo() {
    var secrets = SentSecrets()
    secrets.add(value: Array("password".utf8))
    #expect(blotted("word: password", isCut: true, secrets) == "[sent]: [sent]")
    #expect(blotted("word: password", secrets) == "word: [sent]")
    #expect(blotted("rd", isCut: true, secrets) == "[sent]")
    #expect(blotted("other", isCut: true, secrets) == "other")
  }

  @Test func linesOfFilesAreHiddenButForShortOnes() {
    var secrets = SentSecrets()
    secrets.set(filePiece: Array("first piece\n".utf8))
    secrets.set(filePiece: Array("no\r\nhunter2\r\n\n".utf8))
    #expect(blotted("no hunter2, no", secrets) == "no [sent], no")
  }
}
