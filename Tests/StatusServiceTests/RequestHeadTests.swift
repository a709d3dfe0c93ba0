import TestSupport
import Testing

@testable import StatusService

/// The heads of requests: each is read, or answered with a status.
@Suite struct RequestHeadTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let testDescription: String

    init(_ text: String) {
      self.text = text
      testDescription = text.debugDescription
    }

    func read() throws(RequestHead.Problem) -> RequestHead { try RequestHead(Array(text.utf8)[...]) }
  }

  @Test(
    arguments: [
      (Case("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "GET", "/", "localhost"),
      (Case("HEAD /metrics HTTP/1.1\r\nHost: a:9345\r\n\r\n"), "HEAD", "/metrics", "a:9345"),
      // RFC 9112 section 2.2: a line feed alone, and empty lines before.
      (Case("GET / HTTP/1.1\nHost: a\n\n"), "GET", "/", "a"),
      (Case("\r\n\nGET / HTTP/1.1\r\nHost: a\n\r\n"), "GET", "/", "a"),
      (Case("GET /metrics?x=1&y=?/ HTTP/1.1\r\nhOSt:a\r\n\r\n"), "GET", "/metrics", "a"),
      (Case("GET / HTTP/1.1\r\nAccept: */*\r\nHost: \t a \t\r\nX: \u{e9}\r\n\r\n"), "GET", "/", "a"),
      (Case("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET", "/", ""),
      (Case("GET http://b:1/readyz?q HTTP/1.1\r\nHost: a\r\n\r\n"), "GET", "/readyz", "b:1"),
      (Case("GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n"), "GET", "/", "b"),
      (Case("GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n"), "GET", "/", "b"),
      (Case("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS", "", "a"),
      (Case("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), "CONNECT", "", "a"),
      (Case("get / HTTP/1.1\r\nHost: a\r\n\r\n"), "get", "/", "a"),
      (Case("GET / HTTP/1.9\r\nHost: a\r\n\r\n"), "GET", "/", "a"),
      (Case("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), "GET", "/", "a"),
    ])
  func isRead(head: Case, method: String, path: String, host: String) throws {
    let read = try head.read()
    #expect(read.method == method && read.path == path && read.authority == host)
    #expect(RequestHead.length(in: Array(head.text.utf8)) == head.text.utf8.count)
  }

  @Test func anOldClientNeedNotNameTheHost() throws {
    let head = try Case("GET /healthz HTTP/1.0\r\n\r\n").read()
    #expect(head.path == "/healthz" && head.authority == nil)
  }

  @Test(
    arguments: [
      "GET /\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET / http/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/11\r\nHost: a\r\n\r\n", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "GET / HTTP/x.1\r\nHost: a\r\n\r\n",
      "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n", "",
      // RFC 9112 section 3.2: one Host, and not two.
      "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
      // Sections 5.1, 5.2: no blank before the colon, no field over several lines.
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\n\r\n",
      "GET / HTTP/1.1\r\nHost\r\n\r\n", "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX y: 1\r\n\r\n",
      // Section 2.2: no CR alone.
      "GET / HTTP/1.1\rHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\u{7f}\r\n\r\n",
    ].map(Case.init))
  func isMalformed(head: Case) {
    let problem = #expect(throws: RequestHead.Problem.self) { try head.read() }
    #expect(problem?.status == .badRequest)
  }

  @Test(
    arguments: ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"].map(Case.init))
  func isOfAnotherVersion(head: Case) {
    let problem = #expect(throws: RequestHead.Problem.self) { try head.read() }
    #expect(problem?.status == .versionNotSupported)
  }

  @Test(
    arguments: [
      "", "\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r", "GET / HTTP/1.1\nX\n\r", "\n\n\r\n",
    ])
  func isNotWhole(text: String) { #expect(RequestHead.length(in: Array(text.utf8)) == nil) }

  @Test func theEndIsFoundInWhicheverPiecesItComes() {
    let bytes = Array("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nbody\n\n".utf8)
    let whole = RequestHead.length(in: bytes)
    for cut in 1..<bytes.count where RequestHead.length(in: Array(bytes[..<cut])) == nil {
      #expect(RequestHead.length(in: bytes, from: max(0, cut - 2)) == whole, "cut at \(cut)")
    }
    #expect(whole == bytes.count - 6)
  }

  @Test func randomBytesAreAnswered() {
    var random = SeededRandom(state: 14)
    let pieces = [
      "GET ", "HEAD ", "/", "http://", " HTTP/1.1", "\r\n", "\n", "\r", "Host: ", "a", ":", "[", "]", " ", "\t", "?",
      "%",
      "\u{0}", "é", "HTTP/1.", "9",
    ].map { Array($0.utf8) }
    var heads = 0
    for _ in 0..<20_000 {
      var bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
      if Bool.random(using: &random) { bytes = [] }
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        let piece =
          Bool.random(using: &random)
          ? pieces.randomElement(using: &random)! : [UInt8.random(in: 0...255, using: &random)]
        bytes.insert(contentsOf: piece, at: Int.random(in: 0...bytes.count, using: &random))
      }
      if let length = RequestHead.length(in: bytes) { #expect(length <= bytes.count && bytes[length - 1] == 10) }
      if let head = try? RequestHead(bytes[...]) {
        heads += 1
        #expect(head.path.isEmpty || head.path.hasPrefix("/"))
        _ = HostCheck(names: ["a"]).allows(head.authority)
      }
    }
    #expect(heads > 100)
  }
}
