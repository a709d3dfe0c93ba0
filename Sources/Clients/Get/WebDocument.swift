@_spi(Begat) import UnixCore

/// What is asked of a web server: a path, perhaps with a query, just as it is sent.
public struct WebDocument: Hashable, Sendable {
  /// Begins with a slash.
  public let path: String

  /// Takes a path, with or without the slash at its beginning; nothing is percent-encoded.
  ///
  /// A blank or a line's end would end the request's line, and what follows would be another request.
  public init(_ word: String) throws(WebServer.Problem) {
    guard !word.isEmpty else {
      throw WebServer.Problem(description: "a document is empty: the first one of a server is /")
    }
    guard word.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw WebServer.Problem(
        description: "\(escaped(word.utf8)): a document has no blanks and no control characters; a blank is %20")
    }
    // What was not UTF-8 has become this.
    guard !word.unicodeScalars.contains("\u{FFFD}") else {
      throw WebServer.Problem(
        description: "\(escaped(word.utf8)): a document is UTF-8; other bytes are written as in %E9")
    }
    guard Self.url(word) == nil else {
      throw WebServer.Problem(description: "\(escaped(word.utf8)): a URL stands in place of the host")
    }
    path = word.hasPrefix("/") ? word : "/\(word)"
  }

  /// The scheme of a URL, and what follows it.
  static func url(_ word: String) -> (scheme: WebServer.Scheme, rest: Substring)? {
    guard let range = word.firstRange(of: "://"),
      let scheme = WebServer.Scheme(rawValue: word[..<range.lowerBound].lowercased())
    else { return nil }
    return (scheme, word[range.upperBound...])
  }
}
