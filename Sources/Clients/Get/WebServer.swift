@_spi(Begat) import NameService
@_spi(Begat) import UnixCore

/// The web server that `begat get` asks, as it was typed: a host with or without a port, a Unix socket, or a URL.
public struct WebServer: Hashable, Sendable {
  public enum Scheme: String, Hashable, Sendable {
    case http
    case https

    fileprivate var port: String { self == .http ? "http(80)" : "https(443)" }
  }

  /// Words that name no server or no document; the description says why.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
  }

  public let scheme: Scheme
  public let target: ConnectionTarget
  /// What a URL names besides the host.
  public let document: WebDocument?

  /// Reads `host`, `host:port`, `[ADDRESS]:port`, `/path`, `@abstract`, and the same as a URL, as in
  /// `https://host:port/document`.
  public init(_ word: String) throws(Problem) {
    let url = WebDocument.url(word)
    scheme = url?.scheme ?? .http
    var host = word
    var rest: Substring?
    if let url {
      let end = url.rest.firstIndex { "/?#".contains($0) } ?? url.rest.endIndex
      host = String(url.rest[..<end])
      rest = url.rest[end...]
      // It would be read as an abstract socket's name, or as part of one.
      guard !host.isEmpty, !host.contains("@") else {
        throw Problem(description: "\(escaped(word.utf8)): a URL names a host, without a user and a password")
      }
    }
    document = try rest.map { text throws(Problem) in
      try WebDocument(text.hasPrefix("/") ? String(text) : "/\(text)")
    }
    if url == nil { try Self.check(word) }
    do throws(ConnectionTarget.ParseError) { target = try ConnectionTarget(host, defaultPort: scheme.port) } catch {
      throw Problem(description: error.description)
    }
    // libcurl would take it for no socket at all, and ask this machine's port 80.
    if target == .unix(.unixAbstract([])) { throw Problem(description: "@: the name of an abstract socket is missing") }
    if case .host(let host, _) = target, !Self.isHost(host) {
      throw Problem(
        description: "\(escaped(host.utf8)): a host's name has letters, digits, dots and hyphens (xn--... for others)")
    }
  }

  /// Refuses what was meant as a URL.
  private static func check(_ word: String) throws(Problem) {
    let shown = escaped(word.utf8)
    if word.contains("://") { throw Problem(description: "\(shown): only http and https are spoken here") }
    guard let slash = word.firstIndex(of: "/"), !["/", "./", "../", "@"].contains(where: { word.hasPrefix($0) }) else {
      return
    }
    let host = escaped(word[..<slash].utf8)
    throw Problem(
      description:
        "\(shown): the document is a word of its own, as in \(host) \(escaped(word[slash...].utf8)); or write http://\(shown)"
    )
  }

  /// Nothing that ends the host in a URL: what follows it would be a part of the document.
  private static func isHost(_ host: String) -> Bool {
    let isAddress = host.contains(":")
    return host.utf8.allSatisfy { (isAddress ? addressCharacters : nameCharacters).contains($0) }
  }

  private static let nameCharacters = ASCIISet.letters.union(.digits).union("-._")
  private static let addressCharacters = nameCharacters.union(":%")

  /// A document's URL.  On a Unix socket the host is "localhost".
  func url(of document: WebDocument) -> String {
    let host =
      switch target {
      // Where a zone's name is a number, %25 and what follows could be read in two ways.  RFC 6874 §2.
      case .host(let host, let port) where host.contains(":"): "[\(host.replacing("%", with: "%25"))]:\(port)"
      case .host(let host, let port): "\(host):\(port)"
      case .unix: "localhost"
      }
    return "\(scheme)://\(host)\(document.encoded)"
  }
}

extension WebServer: CustomStringConvertible {
  public var description: String { target.description }
}
