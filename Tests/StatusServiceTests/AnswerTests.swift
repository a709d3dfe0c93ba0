import Testing

@testable import StatusService

/// The answers that clients get, byte by byte.
@Suite struct AnswerTests {
  private static let head = """
    HTTP/1.1 200 OK\r
    Date: Sun, 06 Nov 1994 08:49:37 GMT\r
    Content-Type: text/plain; charset=utf-8\r
    Content-Length: 6\r
    Cache-Control: no-store\r
    X-Content-Type-Options: nosniff\r
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r
    Cross-Origin-Resource-Policy: same-origin\r
    Connection: close\r
    \r

    """

  @Test func hasAHeadAndABody() {
    let answer = Answer(.ok, lines: ["ready"])
    #expect(String(decoding: answer.bytes(hasBody: true, now: 784_111_777), as: UTF8.self) == Self.head + "ready\n")
    #expect(String(decoding: answer.bytes(hasBody: false, now: 784_111_777), as: UTF8.self) == Self.head)
  }

  @Test func aMethodThatIsNotAllowedIsToldWhichAre() {
    let bytes = Answer(.methodNotAllowed, lines: []).bytes(hasBody: true, now: 0)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n") && text.contains("\r\nAllow: GET, HEAD\r\n"))
  }

  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (1_795_736_580, "Thu, 26 Nov 2026 23:43:00 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ] as [(Int64, String)])
  func datesAreThoseOfHTTP(seconds: Int64, text: String) { #expect(HTTPDate.text(seconds) == text) }
}
