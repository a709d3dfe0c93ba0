@_spi(Begat) import UnixCore

/// What is asked of a web server: a path, perhaps with a query, just as it is sent.
public struct WebDocument: Hashable, Sendable {
  /// Begins with a slash; any bytes.
  public let bytes: [UInt8]

  /// Takes a path, with or without the slash at its beginning; nothing is percent-encoded.
  ///
  /// A blank or a line's end would end the request's line, and what follows would be another request.
  public init(bytes word: [UInt8]) throws(WebServer.Problem) {
    guard !word.isEmpty else {
      throw WebServer.Problem(description: "a document is empty: the first one of a server is /")
    }
    guard word.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw WebServer.Problem(
        description: "\(escaped(word)): a document has no blanks and no control characters; a blank is %20")
    }
    guard Self.url(String(decoding: word, as: UTF8.self)) == nil else {
      throw WebServer.Problem(description: "\(escaped(word)): a URL stands in place of the host")
    }
    bytes = word.first == UInt8(ascii: "/") ? word : [UInt8(ascii: "/")] + word
  }

  /// Takes a path that is a text.
  public init(_ word: String) throws(WebServer.Problem) { try self.init(bytes: Array(word.utf8)) }

  /// As text; bytes that are not UTF-8 are shown as U+FFFD.
  public var path: String { String(decoding: bytes, as: UTF8.self) }

  /// The request target: without a # and what follows, which concern only a browser.
  var requested: [UInt8] { Array(bytes.prefix { $0 != UInt8(ascii: "#") }) }

  /// The same as part of a URL, where bytes outside of ASCII are percent-encoded.
  var encoded: String {
    var text = ""
    for byte in bytes {
      if byte < 0x80 {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += "%" + String(byte, radix: 16)
      }
    }
    return text
  }

  /// The scheme of a URL, and what follows it.
  static func url(_ word: String) -> (scheme: WebServer.Scheme, rest: Substring)? {
    guard let range = word.firstRange(of: "://"),
      let scheme = WebServer.Scheme(rawValue: word[..<range.lowerBound].lowercased())
    else { return nil }
    return (scheme, word[range.upperBound...])
  }
}
