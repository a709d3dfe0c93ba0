/// The target of a request: a path, or a whole URL as a proxy gets it.
///
/// Source: RFC 9112 section 3.2.
struct RequestTarget: Hashable {
  /// Without the query; empty for a target without a path.
  var path = ""
  /// The server of a URL, with its port.
  var authority: String?

  init(_ bytes: ArraySlice<UInt8>) throws(RequestHead.Problem) {
    guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw RequestHead.Problem("the target of the request is not made of printable ASCII characters")
    }
    let text = String(decoding: bytes, as: UTF8.self)
    // A path; or a target of OPTIONS or CONNECT, which is answered by the method.
    guard !text.hasPrefix("/"), let scheme = RequestTarget.scheme(of: text) else {
      if text.hasPrefix("/") { path = RequestTarget.withoutQuery(text[...]) }
      return
    }
    let rest = text.dropFirst(scheme.count)
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    authority = String(rest[..<end])
    let path = RequestTarget.withoutQuery(rest[end...])
    self.path = path.isEmpty ? "/" : path
  }

  /// `http://` or `https://`, in whatever case it stands there.
  private static func scheme(of text: String) -> Substring? {
    for scheme in ["http://", "https://"] where text.prefix(scheme.count).lowercased() == scheme {
      return text.prefix(scheme.count)
    }
    return nil
  }

  private static func withoutQuery(_ text: Substring) -> String { String(text.prefix { $0 != "?" }) }
}
