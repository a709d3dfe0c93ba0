import Testing

@testable import Clients

@Suite struct AnswerHeadTests {
  private func head(_ lines: String...) -> (head: AnswerHead, problem: String?) {
    var head = AnswerHead()
    for line in lines {
      if let problem = head.add(Array("\(line)\r\n".utf8)) { return (head, problem) }
    }
    return (head, nil)
  }

  @Test func readsWhatItNeeds() {
    let head = head("HTTP/1.1 200 All is well", "CONTENT-LENGTH:  12 ", "Location:/a\t", "").head
    #expect(head.isComplete && head.length == 12 && head.location == Array("/a".utf8))
    #expect(head.reason == Array("All is well".utf8) && head.lines.count == 3)
    #expect(self.head("HTTP/1.1 200").head.reason.isEmpty)
  }

  @Test func beginsAgainWithTheNext() {
    let head = head(
      "HTTP/1.1 302 Found", "Location: /a", "Content-Length: 1", "", "HTTP/1.1 200 OK", "Content-Length: 2", "")
    #expect(head.problem == nil && head.head.length == 2 && head.head.location == nil && head.head.lines.count == 2)
  }

  @Test func isNotForgedByTrailers() {
    var (head, _) = head("HTTP/1.1 302 Found", "", "HTTP/1.1 200: OK", "HTTP/1.1 404 Not Found", "A: b", "")
    head.begin(withStatus: 404)
    #expect(head.reason == Array("Not Found".utf8) && head.lines.count == 2)
  }

  @Test func refusesLengthsThatDiffer() {
    #expect(head("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1").problem == nil)
    #expect(head("HTTP/1.1 200 OK", "Content-Length: 1", "content-length: 2").problem != nil)
    #expect(head("HTTP/1.1 200 OK", "Content-Length: 1x").problem != nil)
    #expect(head("HTTP/1.1 200 OK", "Content-Length: 99999999999999999999").problem != nil)
  }

  @Test func isBoundedInAll() {
    var head = AnswerHead()
    let lines = ["HTTP/1.1 100 Continue\r\n", "\r\n"].map { Array($0.utf8) }
    #expect((0..<100_000).contains { head.add(lines[$0 % 2]) != nil })
  }
}
