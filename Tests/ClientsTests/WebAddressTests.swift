import Testing

@testable import Clients

@Suite struct WebAddressTests {
  @Test(arguments: [
    ("host", "/a", "http://host:80/a"), ("host:8080", "a", "http://host:8080/a"), ("[::1]:81", "/", "http://[::1]:81/"),
    ("::1", "/", "http://[::1]:80/"), ("host:nosuch(82)", "/%20?x#y", "http://host:82/%20?x#y"),
    ("/run/socket", "/a", "http://localhost/a"), ("@name", "/a", "http://localhost/a"),
    ("http://host", "/a", "http://host:80/a"), ("https://host", "/a", "https://host:443/a"),
    ("HTTPS://host:1/x", "//a", "https://host:1//a"),
  ])
  func makeURLs(server: String, document: String, url: String) throws {
    #expect(try WebServer(server).url(of: WebDocument(document)) == url)
  }

  @Test(arguments: [
    ("http://host", "/"), ("http://host/", "/"), ("http://host/a/b", "/a/b"), ("http://host?q", "/?q"),
    ("http://[::1]:1/a:2", "/a:2"),
  ])
  func takeTheDocumentOutOfAURL(url: String, document: String) throws {
    #expect(try WebServer(url).document?.path == document)
  }

  @Test(arguments: [
    "", "host:", "host:0", "host:65536", "user@host", "ho st", "host\n", "host\\x", "host%41", "http://", "http:///a",
    "http://user@host/", "http://@name/", "http://host/a b", "ftp://host/", "[::1", "höst", "host#x", "host?x",
  ])
  func areRefused(word: String) {
    #expect(throws: WebServer.Problem.self) { try WebServer(word) }
  }

  @Test func hostsHaveNoDocument() throws { #expect(try WebServer("host").document == nil) }

  @Test(arguments: [
    ("X-Name: value", "X-Name: value"), ("X:value", "X: value"), ("X:", "X;"), ("X: a:b\tc", "X: a:b\tc"),
  ])
  func headersAreSentAsTheLibraryWantsThem(text: String, sent: String) { #expect(RequestHeader(text)?.text == sent) }

  @Test(arguments: ["", "X", ":", ": x", "X : y", "X: a\rb", "X: a\nb", "X\n: a", "X: \u{0}", "X: \u{7f}"])
  func otherHeadersAreRefused(text: String) { #expect(RequestHeader(text) == nil) }
}
